//! What assistive technology sees: the tree of an application on the accessibility bus (AT-SPI 2, `org.a11y.atspi.*`).

mod audit;
mod names;

pub use audit::audit;
pub use names::is_control;

use crate::desk::{Desk, SOON, eventually};
use names::states_of;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};
use zbus::connection::Builder;
use zbus::{Connection, Message, OwnedObjectPath, OwnedVariant};

/// The object of an application's or the registry's root (AT-SPI 2).
const ROOT: &str = "/org/a11y/atspi/accessible/root";
const REGISTRY: &str = "org.a11y.atspi.Registry";
const ACCESSIBLE: &str = "org.a11y.atspi.Accessible";
/// Extents are asked for within the window (AtspiCoordType).
const IN_WINDOW: u32 = 1;

/// An object: its application's name on the bus, and its path.
type Reference = (String, OwnedObjectPath);

/// One accessible object and what is in it.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its application's name on the bus, and its path.
    pub reference: Reference,
    /// As AT-SPI names it, for example "push button".
    pub role: String,
    /// What is spoken.
    pub name: String,
    /// What is spoken after it.
    pub description: String,
    /// As AT-SPI names them, for example "focused".
    pub states: BTreeSet<&'static str>,
    /// Smallest, current and largest value, where it has one.
    pub value: Option<[f64; 3]>,
    /// Left, top, width, height within the window, in pixels, where it has any.
    pub extents: Option<[i32; 4]>,
    /// What can be done with it.
    pub actions: Vec<String>,
    /// What is in it.
    pub children: Vec<Node>,
}

impl Node {
    /// It and everything in it, from the outside in.
    #[must_use]
    pub fn all(&self) -> Vec<&Self> {
        let mut found = vec![self];
        found.extend(self.children.iter().flat_map(Self::all));
        found
    }

    /// Whether AT-SPI says so, for example "focused".
    #[must_use]
    pub fn is(&self, state: &str) -> bool {
        self.states.contains(state)
    }

    /// The object that has the keyboard.
    #[must_use]
    pub fn focused(&self) -> Option<&Self> {
        self.all().into_iter().rev().find(|node| node.is("focused") && node.role != "frame")
    }
}

/// One line for each object: role, name, states that a person would be told, value.
impl Display for Node {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        fn line(node: &Node, depth: usize, formatter: &mut Formatter<'_>) -> fmt::Result {
            write!(formatter, "{:1$}{2} {3:?}", "", depth * 2, node.role, node.name)?;
            if !node.description.is_empty() {
                write!(formatter, " ({:?})", node.description)?;
            }
            for told in ["active", "focused", "focusable", "checked", "pressed", "selected", "expanded", "modal"] {
                if node.is(told) {
                    write!(formatter, " {told}")?;
                }
            }
            if let Some([least, now, most]) = node.value {
                write!(formatter, " {now} of {least} to {most}")?;
            }
            writeln!(formatter)?;
            node.children.iter().try_for_each(|child| line(child, depth + 1, formatter))
        }
        line(self, 0, formatter)
    }
}

/// The accessibility bus of a desk.
#[derive(Debug)]
pub struct Access {
    connection: Connection,
}

impl Access {
    /// Asks the desk's bus where it is, which starts it.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn of(desk: &Desk) -> Self {
        let session = connect(&desk.bus());
        let reply = zbus::block_on(session.call_method(
            Some("org.a11y.Bus"),
            "/org/a11y/bus",
            Some("org.a11y.Bus"),
            "GetAddress",
            &(),
        ));
        let address: String =
            reply.expect("at-spi2-core is installed: run make deps-test").body().deserialize().expect("an address");
        Self { connection: connect(&address) }
    }

    /// The tree of the only application on it.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn tree(&self) -> Node {
        eventually("the application can be seen by assistive technology", || {
            let root = (REGISTRY.to_owned(), OwnedObjectPath::try_from(ROOT).ok()?);
            let application = self.children(&root)?.into_iter().next()?;
            self.node(application)
        })
    }

    /// Does the first thing that can be done with an object, as a screen reader would.
    ///
    /// # Panics
    /// When nothing can be done with it.
    pub fn act(&self, node: &Node) {
        assert!(self.acts(node), "nothing was done with {:?}", node.name);
    }

    /// The same with an object that may be going away: whether it was done.
    #[must_use]
    pub fn acts(&self, node: &Node) -> bool {
        let done = self.call(&node.reference, "org.a11y.atspi.Action", "DoAction", &(0_i32,));
        done.and_then(|done| done.body().deserialize().ok()).unwrap_or_default()
    }

    /// Nothing when it went away while it was looked at.
    fn node(&self, reference: Reference) -> Option<Node> {
        let property = |interface: &str, name: &str| self.property(&reference, interface, name);
        let text = |name| property(ACCESSIBLE, name).and_then(|value| String::try_from(value).ok()).unwrap_or_default();
        let role: String = self.call(&reference, ACCESSIBLE, "GetRoleName", &())?.body().deserialize().ok()?;
        let bits: Vec<u32> = self.call(&reference, ACCESSIBLE, "GetState", &())?.body().deserialize().ok()?;
        let interfaces: Vec<String> =
            self.call(&reference, ACCESSIBLE, "GetInterfaces", &())?.body().deserialize().ok()?;
        let has = |name: &str| interfaces.iter().any(|one| one.strip_prefix("org.a11y.atspi.") == Some(name));
        let value = has("Value").then(|| {
            ["MinimumValue", "CurrentValue", "MaximumValue"].map(|name| {
                property("org.a11y.atspi.Value", name).and_then(|value| f64::try_from(value).ok()).unwrap_or(f64::NAN)
            })
        });
        let extents = has("Component").then(|| self.extents(&reference)).flatten();
        let actions = if has("Action") { self.actions(&reference) } else { Vec::new() };
        let children = self.children(&reference)?.into_iter().filter_map(|child| self.node(child)).collect();
        Some(Node {
            role,
            name: text("Name"),
            description: text("Description"),
            states: states_of(&bits),
            value,
            extents,
            actions,
            children,
            reference,
        })
    }

    fn children(&self, of: &Reference) -> Option<Vec<Reference>> {
        self.call(of, ACCESSIBLE, "GetChildren", &())?.body().deserialize().ok()
    }

    fn extents(&self, of: &Reference) -> Option<[i32; 4]> {
        let reply = self.call(of, "org.a11y.atspi.Component", "GetExtents", &(IN_WINDOW,))?;
        let ((left, top, width, height),): ((i32, i32, i32, i32),) = reply.body().deserialize().ok()?;
        Some([left, top, width, height])
    }

    fn actions(&self, of: &Reference) -> Vec<String> {
        let reply = self.call(of, "org.a11y.atspi.Action", "GetActions", &());
        let actions = reply.and_then(|reply| reply.body().deserialize::<Vec<(String, String, String)>>().ok());
        actions.unwrap_or_default().into_iter().map(|(name, ..)| name).collect()
    }

    fn property(&self, of: &Reference, interface: &str, name: &str) -> Option<OwnedVariant> {
        self.call(of, "org.freedesktop.DBus.Properties", "Get", &(interface, name))?.body().deserialize().ok()
    }

    fn call<B>(&self, of: &Reference, interface: &str, member: &str, body: &B) -> Option<Message>
    where
        B: serde::Serialize + zbus::Type,
    {
        let (name, path) = of;
        zbus::block_on(self.connection.call_method(Some(name.as_str()), path.as_str(), Some(interface), member, body))
            .ok()
    }
}

fn connect(address: &str) -> Connection {
    zbus::block_on(Builder::address(address).method_timeout(SOON).build())
        .unwrap_or_else(|error| panic!("{address}: {error}"))
}

/// How often each role occurs in a tree.
#[must_use]
pub fn roles(tree: &Node) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for node in tree.all() {
        *found.entry(node.role.clone()).or_default() += 1;
    }
    found
}
