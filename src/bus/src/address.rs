//! Which bus, and where on it a station is.

use std::convert::Infallible;
use std::str::FromStr;
use zbus::Address;

/// The name on the bus.
pub const NAME: &str = "org.blanche.Station1";
/// The object of the station; sessions are below it.
pub const ROOT: &str = "/org/blanche/Station1";

/// A bus of this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Bus {
    /// The one of the system, where a station belongs.
    #[default]
    System,
    /// The one of the person who is logged in: for demonstrations.
    Session,
    /// Any other, by its address (D-Bus specification, "Server Addresses").
    Address(String),
}

impl Bus {
    /// Where it listens.
    ///
    /// # Errors
    /// When the address cannot be read, or nobody says where the bus of the session is.
    pub fn address(&self) -> zbus::Result<Address> {
        match self {
            Self::System => Address::system(),
            Self::Session => Address::session(),
            Self::Address(address) => address.as_str().try_into(),
        }
    }
}

impl FromStr for Bus {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "system" => Self::System,
            "session" => Self::Session,
            address => Self::Address(address.to_owned()),
        })
    }
}
