//! AT-SPI's numbers as words (at-spi2-core 2.46, `atspi-constants.h`).

use std::collections::BTreeSet;

/// `AtspiStateType`, in the order of its numbers.
const STATES: [&str; 44] = [
    "invalid",
    "active",
    "armed",
    "busy",
    "checked",
    "collapsed",
    "defunct",
    "editable",
    "enabled",
    "expandable",
    "expanded",
    "focusable",
    "focused",
    "has tooltip",
    "horizontal",
    "iconified",
    "modal",
    "multi-line",
    "multiselectable",
    "opaque",
    "pressed",
    "resizable",
    "selectable",
    "selected",
    "sensitive",
    "showing",
    "single-line",
    "stale",
    "transient",
    "vertical",
    "visible",
    "manages descendants",
    "indeterminate",
    "required",
    "truncated",
    "animated",
    "invalid entry",
    "supports autocompletion",
    "selectable text",
    "is default",
    "visited",
    "checkable",
    "has popup",
    "read-only",
];

/// Roles of what a person can use (AtspiRole, as [`super::Node::role`]).
const CONTROLS: [&str; 13] = [
    "push button",
    "button",
    "toggle button",
    "check box",
    "radio button",
    "combo box",
    "slider",
    "spin button",
    "link",
    "entry",
    "text",
    "list item",
    "page tab",
];

/// Whether a person can use what has that role.
#[must_use]
pub fn is_control(role: &str) -> bool {
    CONTROLS.contains(&role)
}

/// The states whose bits are set in the two words of `GetState`.
pub(super) fn states_of(words: &[u32]) -> BTreeSet<&'static str> {
    let is_set = |number: usize| words.get(number / 32).is_some_and(|word| word >> (number % 32) & 1 == 1);
    STATES.iter().enumerate().filter(|(number, _)| is_set(*number)).map(|(_, name)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_from_both_words() {
        assert_eq!(states_of(&[1 << 12 | 1 << 11, 1 << 11]), BTreeSet::from(["focused", "focusable", "read-only"]));
        assert!(states_of(&[]).is_empty());
    }
}
