//! French and English sentences for devices that are refused: what was plugged in instead of a medium, and what to do.

use super::DeviceRefusal;
use crate::detect::Interface;
use blanche_scan::words::{Advice, Lang};

const SECURITY: (&str, &str) =
    ("Retirez-le et apportez-le au service de sécurité.", "Take it out and take it to the security staff.");
const ADMINISTRATOR: (&str, &str) = (
    "Retirez-le ; si cette station doit l'accepter, prévenez son administrateur.",
    "Take it out; if this station should accept it, tell its administrator.",
);

/// Why a device is refused, for the person who plugged it in.
#[must_use]
pub fn device_refusal(refusal: &DeviceRefusal, lang: Lang) -> Advice {
    let ((french, english), next) = match refusal {
        DeviceRefusal::NotStorage(interfaces) => (not_storage(interfaces), not_a_medium(interfaces)),
        DeviceRefusal::Composite(others) => (composite(&names(others, Lang::Fr), &names(others, Lang::En)), SECURITY),
        DeviceRefusal::Class(class) => {
            let name = |lang| class_name(&of_class(*class), lang).to_owned();
            (composite(&name(Lang::Fr), &name(Lang::En)), SECURITY)
        }
        DeviceRefusal::Transport(_) => (
            (
                "Cet appareil est un lecteur d'un type que la station ne lit pas (disquettes, bandes).".to_owned(),
                "This device is a drive of a kind that the station does not read (floppy disks, tapes).".to_owned(),
            ),
            ("Retirez-le et copiez les fichiers sur une clé USB.", "Take it out and copy the files to a USB key."),
        ),
        DeviceRefusal::Malformed => (
            (
                "Cet appareil se présente de façon incorrecte : il est en panne, ou il trompe.".to_owned(),
                "This device announces itself in a wrong way: it is failing, or it deceives.".to_owned(),
            ),
            SECURITY,
        ),
        DeviceRefusal::Changed => (
            (
                "Cet appareil s'est transformé pendant qu'il était branché.".to_owned(),
                "This device turned into something else while it was plugged in.".to_owned(),
            ),
            SECURITY,
        ),
        DeviceRefusal::Hub => (
            (
                "C'est une multiprise USB : la station ne lit pas ce qui y est branché.".to_owned(),
                "This is a USB hub: the station does not read what is plugged into it.".to_owned(),
            ),
            ("Branchez le support directement à la station.", "Plug the medium straight into the station."),
        ),
        DeviceRefusal::Port => (
            (
                "Cette prise n'est pas prévue pour cet appareil.".to_owned(),
                "This socket is not meant for this device.".to_owned(),
            ),
            (
                "Retirez-le et branchez-le à une prise prévue pour les supports à vérifier.",
                "Take it out and plug it into a socket that is meant for media to be checked.",
            ),
        ),
        DeviceRefusal::Unusable => (
            (
                "La station n'a pas pu mettre cet appareil en service.".to_owned(),
                "The station could not put this device into service.".to_owned(),
            ),
            (
                "Rebranchez-le une fois ; si cela recommence, prévenez l'administrateur de la station.",
                "Plug it in once more; if it happens again, tell the station's administrator.",
            ),
        ),
        DeviceRefusal::List => (
            (
                "Ce modèle d'appareil n'est pas accepté sur cette station.".to_owned(),
                "This model of device is not accepted on this station.".to_owned(),
            ),
            ADMINISTRATOR,
        ),
    };
    Advice { what: lang.pick(french, english), next: lang.pick(next.0, next.1).to_owned() }
}

/// No interface is storage.
fn not_storage(interfaces: &[Interface]) -> (String, String) {
    if interfaces.is_empty() {
        return ("Cet appareil ne contient pas de fichiers.".to_owned(), "This device holds no files.".to_owned());
    }
    (
        format!("Ce n'est pas un support de fichiers. L'appareil se présente comme : {}.", names(interfaces, Lang::Fr)),
        format!("This is not a medium with files. The device announces itself as: {}.", names(interfaces, Lang::En)),
    )
}

/// A telephone or camera is an honest mistake; what looks like a key and is a keyboard or a network card is an attack.
fn not_a_medium(interfaces: &[Interface]) -> (&'static str, &'static str) {
    const PORTABLE: u8 = 0x06;
    if !interfaces.is_empty() && interfaces.iter().all(|interface| interface.class == PORTABLE) {
        return ("Retirez-le et copiez les fichiers sur une clé USB.", "Take it out and copy the files to a USB key.");
    }
    (
        "Retirez-le. S'il a la forme d'une clé USB, apportez-le au service de sécurité.",
        "Take it out. If it looks like a USB key, take it to the security staff.",
    )
}

/// Storage and something else.
fn composite(french: &str, english: &str) -> (String, String) {
    (
        format!("Cet appareil n'est pas qu'un support de fichiers. Il se présente aussi comme : {french}."),
        format!("This device is not only a medium with files. It also announces itself as: {english}."),
    )
}

/// What interfaces are, each kind once.
fn names(interfaces: &[Interface], lang: Lang) -> String {
    let mut names: Vec<&str> = Vec::new();
    for interface in interfaces {
        let name = class_name(interface, lang);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

/// A device that speaks for itself as a whole.
fn of_class(class: u8) -> Interface {
    Interface { configuration: 0, number: 0, alternate: 0, class, subclass: 0, protocol: 0 }
}

/// What an interface is, in a word or two (USB-IF, "Defined Class Codes", 2024).
#[must_use]
pub fn class_name(interface: &Interface, lang: Lang) -> &'static str {
    let (french, english) = match (interface.class, interface.subclass, interface.protocol) {
        (0x01, _, _) => ("appareil audio", "audio device"),
        // CDC 1.2, table 4: networks have models of their own; the rest is modems and serial lines.
        (0x02, 0x06 | 0x0C | 0x0D | 0x0E, _) | (0xEF, 0x04, _) | (0xE0, 0x01, 0x03) => ("carte réseau", "network card"),
        (0x02, _, _) => ("modem ou port série", "modem or serial port"),
        (0x03, 0x01, 0x01) => ("clavier", "keyboard"),
        (0x03, 0x01, 0x02) => ("souris", "mouse"),
        (0x03, _, _) => {
            ("périphérique de saisie (clavier, souris, manette)", "input device (keyboard, mouse, gamepad)")
        }
        (0x05, _, _) => ("appareil à retour de force", "force-feedback device"),
        (0x06, _, _) => ("appareil photo ou téléphone", "camera or telephone"),
        (0x07, _, _) => ("imprimante", "printer"),
        (0x08, _, _) => ("support de fichiers", "medium with files"),
        (0x09, _, _) => ("multiprise USB", "USB hub"),
        (0x0A, _, _) => ("ligne de données (modem, réseau)", "data line (modem, network)"),
        (0x0B, _, _) => ("lecteur de carte à puce", "smart card reader"),
        (0x0D, _, _) => ("appareil à contenu protégé", "device with protected content"),
        (0x0E, _, _) => ("caméra", "video camera"),
        (0x0F, _, _) => ("appareil de santé", "health-care device"),
        (0x10, _, _) => ("appareil audio et vidéo", "audio and video device"),
        (0x11, _, _) => ("annonce d'un autre mode de branchement", "announcement of another way to connect"),
        (0x12, _, _) => ("pont USB-C", "USB-C bridge"),
        (0x13, _, _) => ("écran", "display"),
        (0x14, _, _) => ("appareil de gestion", "management device"),
        (0x3C, _, _) => ("pont I3C", "I3C bridge"),
        (0xDC, _, _) => ("appareil de diagnostic", "diagnostic device"),
        (0xE0, 0x01, 0x01) => ("adaptateur Bluetooth", "Bluetooth adapter"),
        (0xE0, _, _) => ("adaptateur sans fil", "wireless adapter"),
        (0xEF, _, _) => ("appareil aux fonctions multiples", "device of several functions"),
        (0xFE, 0x01, _) => ("appareil qui attend un nouveau programme interne", "device that waits for new firmware"),
        (0xFE, _, _) => ("appareil d'un usage particulier", "device for a particular use"),
        (0xFF, _, _) => ("fonction propre au fabricant", "function of the maker's own"),
        _ => ("fonction inconnue", "unknown function"),
    };
    lang.pick(french, english)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

    use super::*;

    fn interface(class: u8, subclass: u8, protocol: u8) -> Interface {
        Interface { configuration: 1, number: 0, alternate: 0, class, subclass, protocol }
    }

    fn all() -> Vec<DeviceRefusal> {
        let mut all = vec![
            DeviceRefusal::NotStorage(vec![]),
            DeviceRefusal::Transport(vec![interface(8, 4, 0)]),
            DeviceRefusal::Malformed,
            DeviceRefusal::Changed,
            DeviceRefusal::Hub,
            DeviceRefusal::Port,
            DeviceRefusal::List,
            DeviceRefusal::Unusable,
        ];
        for class in 0..=u8::MAX {
            all.push(DeviceRefusal::NotStorage(vec![interface(class, 1, 1)]));
            all.push(DeviceRefusal::Composite(vec![interface(class, 1, 2), interface(class, 6, 0)]));
            all.push(DeviceRefusal::Class(class));
        }
        all
    }

    #[test]
    fn every_refusal_has_a_plain_sentence_and_advice_in_both_languages() {
        for refusal in all() {
            let (french, english) = (device_refusal(&refusal, Lang::Fr), device_refusal(&refusal, Lang::En));
            for text in [&french.what, &french.next, &english.what, &english.next] {
                assert!(text.ends_with('.') && text.len() > 10, "{refusal:?}: {text:?}");
            }
            assert!(french.what != english.what && french.next != english.next, "{refusal:?}");
        }
    }

    #[test]
    fn a_person_reads_what_the_device_pretends_to_be() {
        let rubber_ducky = DeviceRefusal::Composite(vec![interface(3, 1, 1), interface(3, 1, 1), interface(2, 6, 0)]);
        let words = device_refusal(&rubber_ducky, Lang::Fr);
        assert!(words.what.ends_with("Il se présente aussi comme : clavier, carte réseau."), "{}", words.what);
        assert_eq!(words.next, SECURITY.0);
        let telephone = device_refusal(&DeviceRefusal::NotStorage(vec![interface(6, 1, 1)]), Lang::En);
        assert!(telephone.what.contains("telephone") && telephone.next.contains("USB key"), "{telephone:?}");
    }
}
