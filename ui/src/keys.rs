//! Keys: what each does, and that no other key does anything. Nothing leads out of the kiosk.

use crate::model::screen::{Action, Place};
use gtk::gdk;
use std::collections::BTreeSet;

/// What a key means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Something of ours.
    Act(Action),
    /// Moving and choosing, which GTK does.
    Move,
    /// Scrolling the page: down, or up.
    Scroll(bool),
    /// Nothing: it is swallowed.
    Nothing,
}

/// What a key means on the page that is open.
#[must_use]
pub fn meaning(key: gdk::Key, modifiers: gdk::ModifierType, place_is_main: bool) -> Meaning {
    use gdk::Key;
    let held = gdk::ModifierType::CONTROL_MASK
        | gdk::ModifierType::ALT_MASK
        | gdk::ModifierType::SUPER_MASK
        | gdk::ModifierType::META_MASK
        | gdk::ModifierType::HYPER_MASK;
    if modifiers.intersects(held) {
        return Meaning::Nothing;
    }
    let action = match key {
        Key::F1 => Action::Open(Place::Help),
        Key::F2 => Action::Voice,
        Key::F3 => Action::Repeat,
        Key::F4 => Action::Hush,
        Key::F5 => Action::NextLanguage,
        Key::F6 => Action::Other,
        Key::F7 => Action::Volume(-10),
        Key::F8 => Action::Volume(10),
        Key::F9 => Action::NextLetters,
        Key::F10 => Action::NextColours,
        Key::Escape if place_is_main => Action::Hush,
        Key::Escape => Action::Back,
        Key::Tab
        | Key::ISO_Left_Tab
        | Key::Return
        | Key::KP_Enter
        | Key::space
        | Key::Up
        | Key::Down
        | Key::Left
        | Key::Right
        | Key::Home
        | Key::End => return Meaning::Move,
        Key::Page_Down | Key::KP_Page_Down => return Meaning::Scroll(true),
        Key::Page_Up | Key::KP_Page_Up => return Meaning::Scroll(false),
        _ => return Meaning::Nothing,
    };
    Meaning::Act(action)
}

/// The keys that are down. While one is held its presses come again and again, at a pace that nobody can change here (EN 301 549, 5.7): a key
/// that acts does so once, until it is up again; one that moves a little further or scrolls goes on.
#[derive(Debug, Default)]
pub struct Held(BTreeSet<u32>);

impl Held {
    /// A key is pressed, or is still down: whether it does something. `code`: of the key on the keyboard, which is the same when it is released.
    pub fn press(&mut self, key: gdk::Key, code: u32) -> bool {
        self.0.insert(code) || goes_on(key)
    }

    /// A key is up again.
    pub fn release(&mut self, code: u32) {
        self.0.remove(&code);
    }

    /// Of what is down now nobody tells when it is up.
    pub fn forget(&mut self) {
        self.0.clear();
    }
}

/// Whether a key goes on while it is held.
fn goes_on(key: gdk::Key) -> bool {
    use gdk::Key;
    matches!(
        key,
        Key::Up
            | Key::Down
            | Key::Left
            | Key::Right
            | Key::Page_Down
            | Key::KP_Page_Down
            | Key::Page_Up
            | Key::KP_Page_Up
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_lead_out_of_a_program_do_nothing() {
        let plain = gdk::ModifierType::empty();
        for key in [gdk::Key::F11, gdk::Key::F12, gdk::Key::Menu, gdk::Key::Print, gdk::Key::q, gdk::Key::Super_L] {
            assert_eq!(meaning(key, plain, true), Meaning::Nothing, "{key:?}");
        }
        for modifier in [gdk::ModifierType::CONTROL_MASK, gdk::ModifierType::ALT_MASK, gdk::ModifierType::SUPER_MASK] {
            for key in [gdk::Key::F4, gdk::Key::Tab, gdk::Key::q, gdk::Key::d, gdk::Key::Escape] {
                assert_eq!(meaning(key, modifier, false), Meaning::Nothing, "{modifier:?} {key:?}");
            }
        }
    }

    /// Keys that logind hears itself, whatever program has the keyboard, held for some seconds too (logind.conf(5)).
    #[test]
    fn keys_that_end_the_machine_or_send_it_to_sleep_do_nothing() {
        let settings = include_str!("../../debian/blanche-kiosk.logind.conf");
        for key in ["Power", "Reboot", "Suspend", "Hibernate"] {
            for press in ["", "LongPress"] {
                let ignored = format!("Handle{key}Key{press}=ignore");
                assert!(settings.lines().any(|line| line == ignored), "{ignored}");
            }
        }
    }

    #[test]
    fn a_long_page_scrolls_by_keys() {
        let plain = gdk::ModifierType::empty();
        assert_eq!(meaning(gdk::Key::Page_Down, plain, true), Meaning::Scroll(true));
        assert_eq!(meaning(gdk::Key::Page_Up, plain, false), Meaning::Scroll(false));
    }

    #[test]
    fn a_key_that_is_held_acts_once_and_only_arrows_and_pages_go_on() {
        use gdk::Key;
        let mut held = Held::default();
        for (code, key) in (9..).zip([Key::F2, Key::F8, Key::F12, Key::Escape, Key::Return, Key::space, Key::Tab]) {
            let presses = [(); 3].map(|()| held.press(key, code));
            assert_eq!(presses, [true, false, false], "{key:?}");
            held.release(code);
            assert!(held.press(key, code), "{key:?}, pressed anew");
        }
        for (code, key) in (50..).zip([Key::Up, Key::Down, Key::Left, Key::Right, Key::Page_Up, Key::Page_Down]) {
            assert_eq!([(); 3].map(|()| held.press(key, code)), [true; 3], "{key:?}");
        }
        held.forget();
        assert!(held.press(Key::F2, 9), "it was released where nobody told us");
    }

    #[test]
    fn escape_goes_back_and_silences_where_there_is_no_way_back() {
        let plain = gdk::ModifierType::empty();
        assert_eq!(meaning(gdk::Key::Escape, plain, false), Meaning::Act(Action::Back));
        assert_eq!(meaning(gdk::Key::Escape, plain, true), Meaning::Act(Action::Hush));
        assert_eq!(meaning(gdk::Key::ISO_Left_Tab, gdk::ModifierType::SHIFT_MASK, true), Meaning::Move);
    }
}
