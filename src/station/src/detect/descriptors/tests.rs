#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use super::*;
use crate::detect::simulated::descriptors_of;
use proptest::prelude::*;

/// A device descriptor with this number of configurations.
fn device(configurations: u8) -> Vec<u8> {
    vec![18, 1, 0, 3, 0, 0, 0, 9, 0x51, 0x09, 0x66, 0x16, 0x10, 0x01, 1, 2, 3, configurations]
}

/// A configuration that announces `count` interfaces and holds `inside`.
fn configuration_of(value: u8, count: u8, inside: &[u8]) -> Vec<u8> {
    let [low, high] = u16::try_from(9 + inside.len()).unwrap().to_le_bytes();
    [&[9, 2, low, high, count, value, 0, 0x80, 50], inside].concat()
}

fn interface(number: u8, alternate: u8, class: u8) -> Vec<u8> {
    vec![9, 4, number, alternate, 2, class, 6, 0x50, 0]
}

fn with_one(inside: &[u8], count: u8) -> Result<Descriptors, Malformed> {
    parse(&[device(1), configuration_of(1, count, inside)].concat())
}

fn wrong(result: Result<Descriptors, Malformed>) -> &'static str {
    match result {
        Err(malformed) => malformed.what,
        Ok(found) => panic!("accepted as {found:?}"),
    }
}

#[test]
fn a_key_with_bulk_only_and_uas_shows_both_alternate_settings() {
    // Interface, two bulk endpoints; alternate setting 1 with four endpoints, each with its companion and pipe usage.
    let bulk = [7, 5, 0x81, 2, 0, 4, 0];
    let companion = [6, 0x30, 15, 0, 0, 0];
    let pipe = [4, 0x24, 1, 0];
    let mut inside = [interface(0, 0, 8), bulk.to_vec(), companion.to_vec()].concat();
    inside.extend([9, 4, 0, 1, 4, 8, 6, 0x62, 0]);
    inside.extend([bulk.to_vec(), companion.to_vec(), pipe.to_vec()].concat());
    let found = with_one(&inside, 1).unwrap();
    assert_eq!((found.vendor, found.product, found.release, found.class), (0x0951, 0x1666, 0x0110, 0));
    let seen: Vec<(u8, u8)> = found.interfaces.iter().map(|setting| (setting.alternate, setting.protocol)).collect();
    assert_eq!(seen, [(0, 0x50), (1, 0x62)]);
}

#[test]
fn every_configuration_and_every_alternate_setting_is_seen() {
    let first = configuration_of(1, 1, &interface(0, 0, 8));
    let second = configuration_of(2, 2, &[interface(0, 0, 8), interface(1, 0, 8), interface(1, 1, 3)].concat());
    let found = parse(&[device(2), first, second].concat()).unwrap();
    let keyboard = found.interfaces.iter().find(|setting| setting.class == 3).unwrap();
    assert_eq!((keyboard.configuration, keyboard.number, keyboard.alternate), (2, 1, 1));
    assert_eq!(found.interfaces.len(), 4);
}

#[test]
fn what_the_standard_does_not_allow_is_malformed() {
    let one = interface(0, 0, 8);
    for (file, what) in [
        (vec![], "shorter than its head"),
        (device(1)[..17].to_vec(), "longer than what is left"),
        (device(0), "bNumConfigurations"),
        (device(9), "bNumConfigurations"),
        (device(1), "no configuration descriptor"),
        (vec![0; LONGEST + 1], "longer than eight"),
        ([device(1), configuration_of(1, 1, &one), vec![0]].concat(), "after the last"),
        ([device(2), configuration_of(1, 1, &one), configuration_of(1, 1, &one)].concat(), "same bConfigurationValue"),
        ([device(1), vec![9, 2, 255, 255, 1, 1, 0, 0, 0]].concat(), "longer than what is left"),
        ([device(1), vec![9, 2, 8, 0, 1, 1, 0, 0, 0]].concat(), "too short"),
    ] {
        let found = wrong(parse(&file));
        assert!(found.contains(what), "{what}: {found}");
    }
    for (inside, count, what) in [
        (one.clone(), 2, "bNumInterfaces"),
        (one.clone(), 0, "bNumInterfaces"),
        ([one.clone(), one.clone()].concat(), 1, "twice"),
        (interface(0, 1, 8), 1, "default setting"),
        (vec![8, 4, 0, 0, 0, 8, 6, 0x50], 1, "too short"),
        (vec![7, 5, 0x81, 2, 0, 4, 0], 0, "out of place"),
        ([one.clone(), vec![6, 5, 0x81, 2, 0, 4]].concat(), 1, "too short"),
        ([one.clone(), device(1)].concat(), 1, "in a configuration"),
        ([one.clone(), vec![9, 2, 9, 0, 0, 7, 0, 0, 0]].concat(), 1, "in a configuration"),
        ([one.clone(), vec![0, 0]].concat(), 1, "shorter than its head"),
        ([one.clone(), vec![9, 4]].concat(), 1, "longer than what is left"),
        ([vec![8, 11, 0, 2, 8, 6, 0x50, 0], one.clone()].concat(), 1, "not there"),
        ([vec![8, 11, 0, 0, 8, 6, 0x50, 0], one.clone()].concat(), 1, "not there"),
        ([vec![8, 11, 0, 1, 14, 3, 0, 0], one.clone()].concat(), 1, "of a class"),
    ] {
        let found = wrong(with_one(&inside, count));
        assert!(found.contains(what), "{what}: {found}");
    }
}

#[test]
fn an_association_of_interfaces_that_are_there_is_fine() {
    let inside = [vec![8, 11, 0, 2, 2, 2, 1, 0], interface(0, 0, 2), interface(1, 0, 10)].concat();
    assert_eq!(with_one(&inside, 2).unwrap().interfaces.len(), 2);
}

#[test]
fn a_flood_of_settings_is_malformed_before_it_costs_memory() {
    let mut file = device(8);
    for value in 1..=8 {
        let inside: Vec<u8> = (0..=255).flat_map(|alternate| interface(0, alternate, 8)).collect();
        let more: Vec<u8> = (0..=255).flat_map(|alternate| interface(1, alternate, 8)).collect();
        file.extend(configuration_of(value, 2, &[inside, more].concat()));
    }
    assert!(wrong(parse(&file)).contains("2048"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes_end_in_an_answer(file in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&file);
    }

    #[test]
    fn a_damaged_file_never_hides_an_interface_that_it_still_holds(
        classes in proptest::collection::vec((any::<u8>(), any::<u8>(), any::<u8>()), 0..8),
        at in any::<proptest::sample::Index>(),
        value in any::<u8>(),
    ) {
        let mut file = descriptors_of(0x0951, 0x1666, &classes);
        let honest = parse(&file).unwrap();
        let seen: Vec<_> = honest.interfaces.iter().map(|one| (one.class, one.subclass, one.protocol)).collect();
        prop_assert_eq!(&seen, &classes);
        let at = at.index(file.len());
        file[at] = value;
        // Whatever one byte says instead: as many interfaces as there are interface descriptors, or none at all.
        if let Ok(found) = parse(&file) {
            prop_assert!(found.interfaces.len() <= classes.len());
            let untouched = classes.iter().enumerate().filter(|(number, _)| !(27 + number * 9..36 + number * 9).contains(&at));
            for (number, class) in untouched {
                let kept = found.interfaces.iter().any(|one| {
                    usize::from(one.number) == number && (one.class, one.subclass, one.protocol) == *class
                });
                prop_assert!(kept, "interface {number} is no longer seen");
            }
        }
    }
}
