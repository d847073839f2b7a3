#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use super::super::Role;
use super::*;
use crate::detect::{DevPath, Port};
use blanche_scan::settings::{DeviceEntry, PortSettings};
use proptest::prelude::*;

const FRONT: &str = "pci-0000:00:14.0-usb-0:1";

fn device(class: u8, interfaces: &[(u8, u8, u8)]) -> UsbDevice {
    let interface = |(number, &(class, subclass, protocol))| Interface {
        configuration: 1,
        number,
        alternate: 0,
        class,
        subclass,
        protocol,
    };
    UsbDevice {
        path: DevPath("/devices/pci0000:00/0000:00:14.0/usb1/1-1".into()),
        port: Port(FRONT.into()),
        vendor: 0x0951,
        product: 0x1666,
        release: 1,
        class,
        manufacturer: Some("Kingston".into()),
        name: Some("DataTraveler".into()),
        serial: Some("S1".into()),
        interfaces: Some((0..).zip(interfaces).map(interface).collect()),
        descriptors: [0; 32],
    }
}

fn declared(role: PortRole, vendor: Option<u16>, product: Option<u16>) -> Policy {
    let port = |port: &str, role, vendor, product| PortSettings {
        port: port.into(),
        role,
        name: String::new(),
        vendor,
        product,
    };
    let ports = vec![port("elsewhere", PortRole::Input, None, None), port(FRONT, role, vendor, product)];
    Policy { ports, ..Policy::default() }
}

fn refusal(device: &UsbDevice, policy: &Policy) -> DeviceRefusal {
    match decide(device, policy) {
        Decision::Refuse(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

/// Every shape of device, by what it shows.
fn shapes() -> [(&'static str, UsbDevice); 10] {
    let mut malformed = device(0, &[(8, 6, 0x50)]);
    malformed.interfaces = None;
    [
        ("key", device(0, &[(8, 6, 0x50)])),
        ("uas", device(8, &[(8, 6, 0x50), (8, 6, 0x62)])),
        ("dvd", device(0, &[(8, 2, 0x50)])),
        ("floppy", device(0, &[(8, 4, 0x00)])),
        ("keyboard", device(0, &[(3, 1, 1)])),
        ("composite", device(0, &[(8, 6, 0x50), (3, 1, 1)])),
        ("hub", device(9, &[(9, 0, 1), (9, 0, 2)])),
        ("nothing", device(0, &[])),
        ("liar", device(2, &[(8, 6, 0x50)])),
        ("malformed", malformed),
    ]
}

#[test]
fn the_whole_table_of_shapes_and_ports() {
    let none = Policy::default();
    let elsewhere = Policy { ports: declared(PortRole::Input, None, None).ports[..1].to_vec(), ..Policy::default() };
    let policies = [
        none,
        elsewhere,
        declared(PortRole::Input, None, None),
        declared(PortRole::Output, None, None),
        declared(PortRole::Own, None, None),
        declared(PortRole::Hub, None, None),
    ];
    // One column for each policy above: I(nput), O(utput), S (part of the station), H(ub); refused as P(ort), N(ot storage),
    // C(omposite), T(ransport), K (class of the device), M(alformed), U (hub).
    for ((name, device), expected) in shapes()
        .into_iter()
        .zip(["IPIOPP", "IPIOPP", "IPIOPP", "TTTTPT", "NNNNSN", "CCCCPC", "UUUUUH", "NNNNSN", "KKKKPK", "MMMMMM"])
    {
        let seen: String = policies.iter().map(|policy| letter(&decide(&device, policy))).collect();
        assert_eq!(seen, expected, "{name}");
    }
}

/// One letter for each decision.
fn letter(decision: &Decision) -> char {
    match decision {
        Decision::Admit(Role::Input) => 'I',
        Decision::Admit(Role::Output) => 'O',
        Decision::Own => 'S',
        Decision::Hub => 'H',
        Decision::Refuse(DeviceRefusal::Port) => 'P',
        Decision::Refuse(DeviceRefusal::NotStorage(_)) => 'N',
        Decision::Refuse(DeviceRefusal::Composite(_)) => 'C',
        Decision::Refuse(DeviceRefusal::Transport(_)) => 'T',
        Decision::Refuse(DeviceRefusal::Class(_)) => 'K',
        Decision::Refuse(DeviceRefusal::Malformed) => 'M',
        Decision::Refuse(DeviceRefusal::Hub) => 'U',
        Decision::Refuse(DeviceRefusal::List) => 'L',
        Decision::Refuse(DeviceRefusal::Changed | DeviceRefusal::Unusable) => '!',
    }
}

#[test]
fn a_refusal_names_what_the_device_is_instead() {
    let [.., (_, composite), _, _, _, _] = shapes();
    let others = |refusal| match refusal {
        DeviceRefusal::NotStorage(others) | DeviceRefusal::Composite(others) => others,
        other => panic!("{other:?}"),
    };
    let seen = others(refusal(&composite, &Policy::default()));
    assert_eq!(seen.iter().map(|other| (other.class, other.protocol)).collect::<Vec<_>>(), [(3, 1)]);
}

#[test]
fn a_port_may_be_for_one_device_only() {
    let keyboard = device(0, &[(3, 1, 1)]);
    assert_eq!(decide(&keyboard, &declared(PortRole::Own, Some(0x0951), Some(0x1666))), Decision::Own);
    for (vendor, product) in [(0x0951, 0x1667), (0x0952, 0x1666)] {
        assert_eq!(refusal(&keyboard, &declared(PortRole::Own, Some(vendor), Some(product))), DeviceRefusal::Port);
    }
    let key = device(0, &[(8, 6, 0x50)]);
    assert_eq!(decide(&key, &declared(PortRole::Output, Some(0x0951), None)), Decision::Admit(Role::Output));
    assert_eq!(refusal(&key, &declared(PortRole::Output, Some(0x0952), None)), DeviceRefusal::Port);
    let hub = device(9, &[(9, 0, 0)]);
    assert_eq!(refusal(&hub, &declared(PortRole::Hub, Some(0x0952), None)), DeviceRefusal::Hub);
}

#[test]
fn lists_are_by_vendor_then_product_then_serial_number_and_denial_wins() {
    let key = device(0, &[(8, 6, 0x50)]);
    let entry = |vendor, product, serial: Option<&str>| DeviceEntry { vendor, product, serial: serial.map(Into::into) };
    for (entry, means) in [
        (entry(0x0951, None, None), true),
        (entry(0x0951, Some(0x1666), None), true),
        (entry(0x0951, Some(0x1666), Some("S1")), true),
        (entry(0x0951, None, Some("S1")), true),
        (entry(0x0951, Some(0x1666), Some("s1")), false),
        (entry(0x0951, Some(1), Some("S1")), false),
        (entry(1, Some(0x1666), Some("S1")), false),
    ] {
        let allow = Policy { allow: vec![entry.clone()], ..Policy::default() };
        let deny = Policy { deny: vec![entry.clone()], ..Policy::default() };
        let both = Policy { allow: vec![entry.clone()], deny: vec![entry.clone()], ..Policy::default() };
        let admitted = |policy| decide(&key, policy) == Decision::Admit(Role::Input);
        assert_eq!((admitted(&allow), admitted(&deny), admitted(&both)), (means, !means, false), "{entry:?}");
    }
    let nameless = UsbDevice { serial: None, ..key };
    let serial = Policy { allow: vec![entry(0x0951, None, Some("S1"))], ..Policy::default() };
    assert_eq!(refusal(&nameless, &serial), DeviceRefusal::List);
}

#[test]
fn the_station_s_own_devices_need_no_place_on_the_list_of_media() {
    let mut policy = declared(PortRole::Own, None, None);
    policy.allow = vec![DeviceEntry { vendor: 1, product: None, serial: None }];
    assert_eq!(decide(&device(0, &[(3, 1, 1)]), &policy), Decision::Own);
}

fn any_interface() -> impl Strategy<Value = Interface> {
    // Often storage, so that most devices come near to being admitted.
    let class = prop_oneof![3 => Just(8_u8), 1 => any::<u8>()];
    let kind = prop_oneof![3 => Just((6_u8, 0x50_u8)), 1 => any::<(u8, u8)>()];
    (1..4_u8, 0..4_u8, 0..3_u8, class, kind).prop_map(
        |(configuration, number, alternate, class, (subclass, protocol))| Interface {
            configuration,
            number,
            alternate,
            class,
            subclass,
            protocol,
        },
    )
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let role = prop_oneof![Just(PortRole::Input), Just(PortRole::Output), Just(PortRole::Own), Just(PortRole::Hub)];
    prop_oneof![Just(Policy::default()), role.prop_map(|role| declared(role, None, None))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn nothing_but_storage_is_ever_admitted_as_a_medium(
        class in prop_oneof![3 => Just(0_u8), 1 => any::<u8>()],
        interfaces in proptest::collection::vec(any_interface(), 0..6),
        policy in any_policy(),
    ) {
        let mut device = device(class, &[]);
        device.interfaces = Some(interfaces.clone());
        match decide(&device, &policy) {
            Decision::Admit(_) => {
                prop_assert!(!interfaces.is_empty());
                prop_assert!(interfaces.iter().all(|one| one.class == 8));
                prop_assert!(interfaces.iter().all(|one| matches!((one.subclass, one.protocol), (6, 0x50 | 0x62) | (2, 0x50))));
                prop_assert!(class == 0 || class == 8);
            }
            Decision::Own => prop_assert!(interfaces.iter().all(|one| one.class != 8 && one.class != 9)),
            Decision::Hub => prop_assert!(interfaces.iter().all(|one| one.class == 9) && class == 9),
            Decision::Refuse(_) => {}
        }
    }
}
