//! What is wrong with a tree for somebody who has only the tree (EN 301 549 V3.2.1, 11.5.2.5 to 11.5.2.17; ISO 9241-171, 8.1).

use super::Node;
use super::names::is_control;

/// Roles that say something by their name alone.
const TELLING: [&str; 4] = ["heading", "alert", "progress bar", "frame"];
/// Roles that say nothing (AtspiRole).
const UNKNOWN: [&str; 3] = ["invalid", "unknown", "redundant object"];

/// Everything that is wrong, in words.
#[must_use]
pub fn audit(tree: &Node) -> Vec<String> {
    let all = tree.all();
    let mut wrong: Vec<String> = all.iter().flat_map(|node| of_one(node)).collect();
    let focused = all.iter().filter(|node| node.is("focused") && node.role != "frame").count();
    if focused != 1 {
        wrong.push(format!("{focused} objects have the keyboard instead of one"));
    }
    if !all.iter().any(|node| node.role == "heading") {
        wrong.push("no heading says what this screen is".to_owned());
    }
    wrong
}

fn of_one(node: &Node) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut complain = |what: &str| wrong.push(format!("{} {:?}: {what}", node.role, node.name));
    let name = node.name.trim();
    if name.is_empty() && (is_control(&node.role) || node.is("focusable") || TELLING.contains(&node.role.as_str())) {
        complain("has no name");
    }
    if UNKNOWN.contains(&node.role.as_str()) {
        complain("has no role that means anything");
    }
    if [&node.name, &node.description].iter().any(|text| text.chars().any(is_obeyed)) {
        complain("a control or bidirectional character is spoken");
    }
    if ["Gtk", "Kiosk", "{", "default:"].iter().any(|start| name.starts_with(start)) {
        complain("the name is no word for a person");
    }
    if is_control(&node.role) && node.role.contains("button") {
        if !node.is("focusable") {
            complain("cannot be reached by the keyboard");
        }
        if node.actions.is_empty() {
            complain("cannot be used by assistive technology");
        }
        if !node.is("enabled") && !node.is("sensitive") {
            // Told as unavailable: that is a state as well.
            complain("is shown and can never be used");
        }
    }
    if let Some([least, now, most]) = node.value
        && !(least <= now && now <= most)
    {
        complain("its value is not between its limits");
    }
    if node.role == "progress bar" && node.value.is_none() {
        complain("has no value");
    }
    wrong
}

/// Control characters, and those that turn the direction of text (Unicode 15, Bidi_Control).
/// What comes from a medium arrives without any of these. The kiosk itself sets names apart where one writes from right to left
/// (U+2068 and U+2069, Unicode Standard Annex 9).
fn is_obeyed(letter: char) -> bool {
    let bidi =
        matches!(letter, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}' | '\u{2067}');
    bidi || letter.is_control() && letter != '\n'
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use zbus::OwnedObjectPath;

    fn node(role: &str, name: &str, states: &[&'static str], children: Vec<Node>) -> Node {
        Node {
            reference: (String::new(), OwnedObjectPath::try_from("/").expect("a path")),
            role: role.to_owned(),
            name: name.to_owned(),
            description: String::new(),
            states: states.iter().copied().collect::<BTreeSet<_>>(),
            value: None,
            extents: None,
            actions: vec!["click".to_owned()],
            children,
        }
    }

    fn screen(more: Node) -> Node {
        let usable = &["focusable", "focused", "enabled", "sensitive"];
        let inside =
            vec![node("heading", "Branchez votre clé", &[], vec![]), node("push button", "Aide", usable, vec![]), more];
        node("frame", "Station blanche", &["active"], inside)
    }

    #[test]
    fn a_good_screen_has_nothing_wrong() {
        assert_eq!(audit(&screen(node("label", "Bases du 20 novembre", &[], vec![]))), Vec::<String>::new());
    }

    #[test]
    fn each_fault_is_named() {
        let usable = &["focusable", "enabled", "sensitive"];
        let faults = [
            (node("push button", " ", usable, vec![]), "has no name"),
            (node("push button", "Langue", &["enabled"], vec![]), "keyboard"),
            (node("alert", "", &[], vec![]), "has no name"),
            (node("alert", "KioskPanel", &[], vec![]), "no word for a person"),
            (node("unknown", "x", &[], vec![]), "no role"),
            (node("label", "a\u{202E}b", &[], vec![]), "bidirectional"),
            (node("progress bar", "Vérification", &[], vec![]), "no value"),
            (Node { value: Some([0.0, 1.5, 1.0]), ..node("slider", "Volume", &[], vec![]) }, "limits"),
            (Node { actions: vec![], ..node("push button", "Annuler", usable, vec![]) }, "assistive technology"),
            (node("push button", "Autre", &["focused", "focusable", "enabled"], vec![]), "2 objects"),
        ];
        for (fault, word) in faults {
            let wrong = audit(&screen(fault));
            assert_eq!(wrong.len(), 1, "{wrong:?}");
            assert!(wrong[0].contains(word), "{wrong:?}");
        }
        assert!(audit(&node("frame", "Station", &[], vec![])).iter().any(|wrong| wrong.contains("heading")));
    }
}
