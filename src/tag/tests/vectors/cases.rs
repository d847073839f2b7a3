//! Every vector: what is special about it, and what must come out.

use super::build::*;
use super::masks;
use blanche_tag::Malformed;
use blanche_tag::claims::*;
use blanche_tag::envelope::{Algorithm, Purpose, SignedClaims, seal};
use blanche_tag::manifest::EntryKind;
use blanche_tag::testing::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub struct Vectors {
    world: World,
    /// File name without folder of parts → JSON.
    pub files: BTreeMap<String, Value>,
}

impl Vectors {
    fn good(&mut self, name: &str, about: &str, change: impl FnOnce(&World, &mut Case)) {
        let mut case = self.world.base.clone();
        change(&self.world, &mut case);
        self.files.insert(format!("good/{name}.json"), self.world.render(about, &case, "accepted", None));
    }

    fn bad(&mut self, name: &str, code: &str, step: u8, about: &str, change: impl FnOnce(&World, &mut Case)) {
        let mut case = self.world.base.clone();
        change(&self.world, &mut case);
        self.files.insert(format!("bad/{name}.json"), self.world.render(about, &case, code, Some(step)));
    }

    pub fn make() -> Self {
        let mut vectors = Self { world: World::new(), files: BTreeMap::new() };
        vectors.accepted();
        vectors.masks();
        vectors.form();
        vectors.origin();
        vectors.trust();
        vectors.claims();
        vectors.times();
        vectors.manifest();
        vectors.medium();
        let parts = vectors.world.parts.iter().map(|(name, bytes)| (name.clone(), json!(hex(bytes))));
        vectors.files.insert("parts.json".into(), Value::Object(parts.collect()));
        vectors
    }

    fn masks(&mut self) {
        for row in masks::rows() {
            let about = format!("Of the masked fields only this one was changed: {}.", row.about());
            self.good(&row.name(), &about, |_, case| row.change(case));
        }
    }

    fn accepted(&mut self) {
        self.good("plain", "A FAT32 key in an MBR partition, nothing changed.", |_, _| {});
        self.good("masked", "Hosts changed only masked fields of the boot areas.", |_, case| {
            case.bytes[0].1[440] = 0x77;
            case.bytes[1].1[65] = 1;
            case.bytes[2].1[488] = 1;
            case.bytes[4].1[495] = 1;
        });
        self.good("windows", "Windows wrote its folder.", |_, case| {
            let folder = "System Volume Information";
            let settings =
                item(&format!("{folder}/WPSettings.dat"), EntryKind::File, &[12, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
            let tag = item("blanche.tag", EntryKind::File, &case.tag());
            case.tolerated = vec![folder.into(), settings.path.clone()];
            case.items.extend([item(folder, EntryKind::Folder, b""), settings, tag]);
            case.items.sort_by(|a, b| a.path.cmp(&b.path));
        });
        self.good("artefact-removed", "What macOS had written was sealed with the rest, and is gone.", |_, case| {
            let desktop = [&b"\0\0\0\x01Bud1"[..], &[0; 4088]].concat();
            case.items.insert(0, item(".DS_Store", EntryKind::File, &desktop));
            case.seal_items();
            case.tolerated = vec![case.items.remove(0).path];
        });
        self.good("mounted-path", "Nothing of the medium but its files can be seen.", |_, case| {
            case.medium = json!({ "capacity": null, "block": null, "usb": null, "bytes": null });
        });
        self.good("base-old", "Bases whose age does not count are years old, one a day ahead.", |_, case| {
            case.claims.how.engines[0].bases[0].date = ISSUED - 4 * 365 * DAY;
            case.claims.how.engines[1].bases[0].date = ISSUED + DAY;
        });
        self.good("base-age-last", "The base whose age counts is as old as it may be.", |_, case| {
            case.claims.how.engines[0].bases[1].date = ISSUED - 7 * DAY;
        });
        self.good("base-none", "The policy names no base: their ages do not count.", |_, case| {
            case.policy = json!({ "fresh_bases": [] });
            case.claims.how.engines[0].bases[1].date = 0;
        });
        self.good("level-identity", "The policy asks for identity only, and no file can be seen.", |_, case| {
            case.policy = json!({ "level": "identity" });
            case.walked = Vec::new();
        });
        self.good("volume-blank", "A blank volume has nothing to show.", |_, case| {
            case.split(Filesystem::Blank, AreaKind::Head, 65_536);
        });
        self.good("lists-of-two-numbers", "Two revocation lists of one signer, the newer one first.", |world, case| {
            case.lists = vec![world.list(5, vec![], vec![]), world.list(3, vec![], vec![])];
        });
        self.good("counter-elsewhere", "A higher counter was seen, of another medium.", |_, case| {
            let mut other = case.claims.clone();
            other.medium.capacity *= 2;
            case.remember_counter(case.authority(), &other, 43);
        });
        self.good(
            "counter-of-another-authority",
            "A higher counter was seen, of another authority's station.",
            |world, case| {
                let other = world.trust_another(case, 3, vec![], vec![]);
                case.remember_counter(other, &case.claims.clone(), 43);
            },
        );
        self.good(
            "list-of-another-authority",
            "Another trusted authority's list names the tag and a content.",
            |world, case| {
                let digest = entry(&case.items[2]).0.digests.unwrap().sha256;
                world.trust_another(case, 3, vec![case.claims.tag], vec![digest]);
            },
        );
        self.good(
            "list-number-of-another-authority",
            "A newer list was seen, of another authority's signer of the same name.",
            |world, case| {
                let other = world.trust_another(case, 4, vec![], vec![]);
                case.lists.push(world.list(3, vec![], vec![]));
                case.memory["lists"][other.key("lists.authority")] = json!(4);
            },
        );
        self.good(
            "clock-set-back",
            "The clock is behind what the authority stated: reported, not refused.",
            |_, case| {
                case.clock = ISSUED - 100 * DAY;
                case.memory["time"] = json!(ISSUED + DAY);
            },
        );
    }

    fn form(&mut self) {
        let edit = |at: isize, with: u8| {
            move |_: &World, case: &mut Case| {
                let mut file = case.tag();
                let place = if at < 0 { file.len() - at.unsigned_abs() } else { at as usize };
                file[place] ^= with;
                case.file = Some(file);
            }
        };
        self.bad("magic", "E-FORMAT", 2, "Another magic.", edit(1, 1));
        self.bad("version", "E-VERSION", 2, "Another version of the file.", edit(9, 3));
        self.bad("trailing", "E-FORMAT", 2, "One byte after the end.", |_, case| {
            case.file = Some([case.tag(), vec![0]].concat());
        });
        self.bad("cut", "E-FORMAT", 2, "The last byte is missing.", |_, case| {
            case.file = Some(case.tag()[..case.tag().len() - 1].to_vec());
        });
        self.bad("empty", "E-FORMAT", 1, "An empty file.", |_, case| case.file = Some(Vec::new()));
        self.bad("untagged", "E-ENVELOPE", 4, "COSE_Sign without its tag.", |_, case| {
            case.file = Some(case.join(&case.envelope()[2..]));
        });
        self.bad("not-shortest", "E-ENCODING", 3, "A length that is not in its shortest form.", |_, case| {
            let envelope = case.envelope();
            case.file = Some(case.join(&[&[0xd8, 98, 0x98, 4], &envelope[3..]].concat()));
        });
        self.bad("deeply-nested", "E-ENCODING", 3, "Arrays in arrays.", |_, case| {
            case.file = Some(case.join(&[&[0xd8, 98][..], &[0x81; 4000], &[0]].concat()));
        });
        self.bad("bomb", "E-ENCODING", 3, "An array that announces 2⁶⁴ − 1 items.", |_, case| {
            case.file = Some(case.join(&[&[0xd8, 98, 0x9b][..], &[0xff; 8]].concat()));
        });
        self.bad("unprotected", "E-ENVELOPE", 4, "A header parameter outside the protected ones.", |_, case| {
            let envelope = case.envelope();
            let at = envelope.windows(2).position(|pair| pair == [0xa0, 0x59]).unwrap();
            case.file = Some(case.join(&[&envelope[..at], &[0xa1, 4, 0x41, 0], &envelope[at + 1..]].concat()));
        });
        self.bad("typ", "E-TYP", 4, "A revocation list in the place of a tag.", |world, case| {
            case.file = Some(case.join(&world.list(1, vec![], vec![])));
        });
    }

    fn origin(&mut self) {
        self.bad("one-signature", "E-SIGNATURES", 4, "The ML-DSA signature is missing.", |_, case| {
            let (head, signatures) = signatures(&case.envelope());
            case.file = Some(case.join(&[&head[..], &[0x81], &signatures[0]].concat()));
        });
        self.bad("swapped", "E-ALGORITHM", 4, "The signatures in the other order.", |_, case| {
            let (head, signatures) = signatures(&case.envelope());
            case.file = Some(case.join(&[&head[..], &[0x82], &signatures[1], &signatures[0]].concat()));
        });
        self.bad("same-algorithm", "E-ALGORITHM", 4, "Two ECDSA signatures.", |_, case| {
            let (head, signatures) = signatures(&case.envelope());
            case.file = Some(case.join(&[&head[..], &[0x82], &signatures[0], &signatures[0]].concat()));
        });
        self.bad("two-stations", "E-NAME", 5, "Each signature of another station.", |world, case| {
            let other = san(world, Some("station-2.site-a.blanche.invalid"), Purpose::Tag);
            case.station.chains[1] = other.chains[1].clone();
        });
        self.bad("no-san", "E-NAME", 5, "Certificates without a name.", |world, case| {
            case.station = san(world, None, Purpose::Tag);
        });
        self.bad(
            "site-of-all",
            "E-NAME",
            5,
            "A station of site authority, which stands for all sites.",
            |world, case| {
                case.station = san(world, Some("station-1.authority.blanche.invalid"), Purpose::Tag);
                case.claims.site = Label::try_from("authority").unwrap();
            },
        );
        self.bad("algorithm-text", "E-ALGORITHM", 4, "An algorithm by name.", |_, case| {
            let (head, mut signatures) = signatures(&case.envelope());
            let at = signatures[0].windows(3).position(|window| window == [1, 0x38, 50]).unwrap();
            signatures[0][at + 1..at + 3].copy_from_slice(&[0x61, b'A']);
            case.file = Some(case.join(&[&head[..], &[0x82], &signatures.concat()].concat()));
        });
        self.bad("foreign-san", "E-NAME", 5, "A name outside blanche.invalid.", |world, case| {
            case.station = san(world, Some("station-1.site-a.example"), Purpose::Tag);
        });
        self.bad("key-usage", "E-KEY-USAGE", 5, "Certificates for checkpoints.", |world, case| {
            case.station = san(world, Some(NAME), Purpose::Checkpoint);
        });
        for (name, algorithm) in [("classical", 0), ("post-quantum", 1)] {
            let about = format!("The {name} signature is over something else.");
            self.bad(&format!("signature-{name}"), "E-SIGNATURE", 8, &about, move |_, case| {
                let (head, mut signatures) = signatures(&case.envelope());
                *signatures[algorithm].last_mut().unwrap() ^= 1;
                // The last byte of an ML-DSA signature counts hints: alter the challenge as well.
                let start = signatures[algorithm].len() - if algorithm == 0 { 96 } else { 4627 };
                signatures[algorithm][start + 8] ^= 1;
                case.file = Some(case.join(&[&head[..], &[0x82], &signatures.concat()].concat()));
            });
        }
        self.bad(
            "claims-altered",
            "E-SIGNATURE",
            8,
            "One digit of the claims was changed after signing.",
            |_, case| {
                let mut envelope = case.envelope();
                let at = envelope.windows(8).position(|window| window == b"1234abcd").unwrap();
                envelope[at] = b'2';
                case.file = Some(case.join(&envelope));
            },
        );
    }

    fn trust(&mut self) {
        self.bad(
            "site-constraint",
            "E-SITE",
            6,
            "A station of a site that its issuer does not serve.",
            |world, case| {
                case.station = san(world, Some("station-1.site-b.blanche.invalid"), Purpose::Tag);
                case.claims.site = Label::try_from("site-b").unwrap();
            },
        );
        self.bad("wrong-authority", "E-CHAIN", 6, "The anchors are another authority's.", |_, case| {
            let keys = Keys::new("other");
            let other = both(|algorithm| root_certificate("TEST authority").make(algorithm, &keys, &keys));
            case.authorities = vec![other];
        });
        self.bad("two-authorities", "E-CHAIN", 6, "Each anchor in the pair of another authority.", |_, case| {
            let keys = Keys::new("other");
            let other = both(|algorithm| root_certificate("TEST authority").make(algorithm, &keys, &keys));
            let [one, two] = case.authorities[0].clone();
            let [other_one, other_two] = other;
            case.authorities = vec![[one, other_two], [other_one, two]];
        });
        self.bad("anchor-in-tag", "E-CHAIN", 6, "The tag brings its own anchor; none is installed.", |world, case| {
            let keys = Keys::new("mallory");
            let chains = Algorithm::BOTH.map(|algorithm| {
                let end = Certificate { issuer: "TEST mallory", ..end_certificate() };
                let root = root_certificate("TEST mallory").make(algorithm, &keys, &keys);
                vec![end.make(algorithm, &world.station, &keys), root]
            });
            case.station = Station { keys: world.station.clone(), chains };
        });
        self.bad(
            "issuer-usage",
            "E-CHAIN",
            6,
            "The issuer's keyUsage does not let it sign certificates.",
            |world, case| {
                let issuer = Certificate { usage: [7, 0x80], ..issuer_certificate() };
                for (algorithm, chain) in Algorithm::BOTH.into_iter().zip(&mut case.station.chains) {
                    chain[1] = issuer.make(algorithm, &world.issuer, &world.root);
                }
            },
        );
        for (name, loose) in [("basic-constraints", 19), ("key-usage", 15), ("name-constraints", 30)] {
            let about = "An extension of the issuer that must be critical and is not.";
            self.bad(&format!("issuer-loose-{name}"), "E-CHAIN", 6, about, |world, case| {
                let issuer = Certificate { loose: Some(loose), ..issuer_certificate() };
                for (algorithm, chain) in Algorithm::BOTH.into_iter().zip(&mut case.station.chains) {
                    chain[1] = issuer.make(algorithm, &world.issuer, &world.root);
                }
            });
        }
        self.bad("chain-surplus", "E-CHAIN", 6, "A certificate in the chain that is not of the path.", |_, case| {
            for chain in &mut case.station.chains {
                chain.push(chain[1].clone());
            }
        });
        self.bad("key-usage-loose", "E-KEY-USAGE", 5, "The station's keyUsage is not critical.", |world, case| {
            case.station = world.chain(&Certificate { loose: Some(15), ..end_certificate() });
        });
        self.bad(
            "certificate-expired",
            "E-CERTIFICATE-TIME",
            6,
            "The station's certificates have expired.",
            |world, case| {
                case.station = world.chain(&Certificate { to: ISSUED + 60, ..end_certificate() });
            },
        );
        self.bad("no-crl", "E-CRL-MISSING", 7, "No CRL of the station's issuer.", |_, case| case.crls.truncate(2));
        self.bad("crl-forged", "E-CRL-MISSING", 7, "The CRL was signed by somebody else.", |_, case| {
            let keys = Keys::new("other");
            case.crls[2] = keys.crl(Algorithm::Classical, "TEST site-a", 7, ISSUED - DAY, &[]);
        });
        self.bad(
            "certificate-extension-damaged",
            "E-CERTIFICATE",
            5,
            "The subjectAltName of an end certificate cannot be decoded.",
            |_, case| {
                let mut file = case.tag();
                // OBJECT IDENTIFIER 2.5.29.17, OCTET STRING of some length, SEQUENCE.
                let at = file.windows(5).position(|bytes| bytes == [6, 3, 0x55, 0x1d, 0x11]).unwrap() + 7;
                assert_eq!(file[at], 0x30);
                file[at] = 0x31;
                case.file = Some(file);
            },
        );
        self.bad("crl-old", "E-CRL-OLD", 7, "A CRL with a higher number was seen before.", |world, case| {
            use sha2::{Digest, Sha256};
            let classical = issuer_certificate().make(Algorithm::Classical, &world.issuer, &world.root);
            let spki = world.issuer.spki(Algorithm::Classical);
            assert!(classical.windows(spki.len()).any(|window| window == spki));
            case.memory["crls"][hex(&Sha256::digest(&spki))] = json!(8);
        });
        self.bad("crl-stale", "E-CRL-STALE", 7, "The CRLs are older than a month.", |_, case| {
            case.clock = ISSUED + 40 * DAY;
        });
        self.bad("revoked-station", "E-REVOKED-STATION", 7, "The ML-DSA certificate is revoked.", |world, case| {
            case.crls[3] = world.issuer.crl(Algorithm::PostQuantum, "TEST site-a", 8, ISSUED, &[3]);
        });
        self.bad("list-old", "E-LIST-OLD", 13, "A newer revocation list was seen.", |world, case| {
            case.lists = vec![world.list(3, vec![], vec![])];
            case.remember_list(4);
        });
        self.bad(
            "list-old-beside-a-newer",
            "E-LIST-OLD",
            13,
            "An old revocation list before a newer one.",
            |world, case| {
                case.lists = vec![world.list(3, vec![], vec![]), world.list(5, vec![], vec![])];
                case.remember_list(4);
            },
        );
        self.bad(
            "list-altered-beside-a-good",
            "E-LIST",
            13,
            "An altered revocation list before a good one.",
            |world, case| {
                let mut altered = world.list(9, vec![], vec![]);
                let last = altered.len() - 1;
                altered[last] ^= 1;
                case.lists = vec![altered, world.list(5, vec![], vec![])];
            },
        );
        self.bad("list-missing", "E-LIST-MISSING", 13, "The policy needs a revocation list.", |_, case| {
            case.policy = json!({ "require_list": true });
        });
        self.bad(
            "list-missing-of-this-authority",
            "E-LIST-MISSING",
            13,
            "The policy needs a revocation list, and there is one of another trusted authority.",
            |world, case| {
                world.trust_another(case, 3, vec![], vec![]);
                case.policy = json!({ "require_list": true });
            },
        );
        self.bad("revoked-tag", "E-REVOKED-TAG", 13, "A revocation list names the tag.", |world, case| {
            case.lists = vec![world.list(3, vec![case.claims.tag], vec![])];
        });
        self.bad(
            "revoked-content",
            "E-REVOKED-CONTENT",
            16,
            "A revocation list names a file's digest.",
            |world, case| {
                let digest = entry(&case.items[2]).0.digests.unwrap().sha256;
                case.lists = vec![world.list(3, vec![], vec![digest])];
            },
        );
    }

    fn claims(&mut self) {
        self.bad("other-claims-name", "E-NAME", 10, "The claims name another station.", |_, case| {
            case.claims.station = Label::try_from("station-2").unwrap();
        });
        self.bad("site-policy", "E-SITE-POLICY", 10, "A site that the policy does not admit.", |_, case| {
            case.policy = json!({ "sites": ["site-b"] });
        });
        for (name, verdict) in [("infected", Verdict::Infected), ("incomplete", Verdict::Incomplete)] {
            self.bad(name, "E-VERDICT", 11, "A signed verdict that is not clean.", |_, case| {
                case.claims.verdict = verdict
            });
        }
        self.bad("exception", "E-EXCEPTION", 11, "Eight bytes were skipped under an exception.", |_, case| {
            case.claims.content.checked -= 8;
            case.claims.content.skipped = 8;
            let (identifier, object) = ([5; 16], [6; 32]);
            case.claims.exceptions =
                vec![ContentException { identifier, object, cause: "test".into(), skipped: 8, unreadable: 0 }];
        });
        let raw = |edit: fn(&mut Vec<u8>)| {
            move |_: &World, case: &mut Case| {
                let mut payload = case.claims.encode();
                edit(&mut payload);
                let claims = Raw(payload, case.claims.station.clone(), case.claims.site.clone());
                case.file = Some(case.join(&seal(&claims, &mut case.station.clone()).unwrap()));
            }
        };
        self.bad(
            "claims-unknown",
            "E-CLAIMS",
            9,
            "A field that the format does not know.",
            raw(|payload| {
                payload[0] = 0xaf;
                payload.extend([14, 0]);
            }),
        );
        let lying = |edit: fn(&mut Claims)| {
            move |_: &World, case: &mut Case| {
                edit(&mut case.claims);
                let claims = Raw(case.claims.encode(), case.claims.station.clone(), case.claims.site.clone());
                case.file = Some(case.join(&seal(&claims, &mut case.station.clone()).unwrap()));
            }
        };
        let serial = lying(|claims| claims.volumes[0].identifier = Some("1r34abcd".into()));
        self.bad("volume-identifier", "E-CLAIMS", 9, "A serial that is not hexadecimal.", serial);
        let about = "A gap after the last volume that no area covers.";
        self.bad("gap-unlisted", "E-CLAIMS", 9, about, lying(|claims| claims.volumes[0].length -= 1 << 20));
        let about = "An area of a gap where a volume is.";
        let false_gap = |claims: &mut Claims| {
            let gap = Area { start: 2 << 20, length: 512, ..claims.medium.areas[1].clone() };
            claims.medium.areas.push(gap);
        };
        self.bad("gap-false", "E-CLAIMS", 9, about, lying(false_gap));
        let about = "A boot record of two blocks.";
        let long = |claims: &mut Claims| {
            claims.medium.areas[0].length = 1024;
            claims.medium.areas[1].start = 1024;
            claims.medium.areas[1].length -= 512;
        };
        self.bad("area-length", "E-CLAIMS", 9, about, lying(long));
        let about = "An area of ext in a FAT volume.";
        let foreign = |claims: &mut Claims| {
            let area = Area { kind: AreaKind::Ext, length: 2048, ..claims.medium.areas[2].clone() };
            claims.medium.areas.insert(2, area);
        };
        self.bad("area-kind", "E-CLAIMS", 9, about, lying(foreign));
        self.bad(
            "counter-large",
            "E-CLAIMS",
            9,
            "A counter above 2⁵³.",
            raw(|payload| {
                let at = payload.windows(3).position(|window| window == [6, 0x18, 42]).unwrap();
                payload.splice(at + 1..at + 3, [0x1b, 0, 0x20, 0, 0, 0, 0, 0, 1]);
            }),
        );
        self.bad(
            "claims-not-shortest",
            "E-ENCODING",
            9,
            "Claims in another encoding.",
            raw(|payload| {
                payload.splice(0..1, [0xb8, 14]);
            }),
        );
        self.bad(
            "claims-repeated",
            "E-ENCODING",
            9,
            "A field twice.",
            raw(|payload| {
                payload[0] = 0xaf;
                payload.extend([13, 0x80]);
            }),
        );
        self.bad("claims-trailing", "E-ENCODING", 9, "A byte after the claims.", raw(|payload| payload.push(0)));
        self.bad(
            "claims-contradict",
            "E-CLAIMS",
            9,
            "A capacity that the volumes and areas do not fit.",
            raw(|payload| {
                let at = payload.windows(5).position(|window| window == [0x1a, 0, 0x40, 0, 0]).unwrap();
                payload[at + 2] = 0x20;
            }),
        );
        self.bad(
            "certificate-kind",
            "E-CERTIFICATE",
            5,
            "An ML-DSA certificate with the ECDSA signature.",
            |_, case| {
                case.station.chains[0] = case.station.chains[1].clone();
            },
        );
        self.bad(
            "list-altered",
            "E-LIST",
            13,
            "A revocation list whose claims were changed after signing.",
            |world, case| {
                let mut list = world.list(3, vec![], vec![]);
                let at = list.windows(16).position(|window| window == [9; 16]).unwrap();
                list[at] = 8;
                case.lists = vec![list];
            },
        );
        self.bad("list-stale", "E-LIST-STALE", 13, "The newest revocation list is a day old.", |world, case| {
            case.lists = vec![world.list(3, vec![], vec![])];
            case.policy = json!({ "require_list": true, "max_list_age": 3600 });
        });
        self.bad(
            "list-stale-not-required",
            "E-LIST-STALE",
            13,
            "A list that is given must be fresh.",
            |world, case| {
                case.lists = vec![world.list(3, vec![], vec![])];
                case.policy = json!({ "max_list_age": 3600 });
            },
        );
        self.bad("engines", "E-ENGINES", 15, "Fewer engines than demanded.", |_, case| {
            case.policy = json!({ "min_engines": 3 });
        });
        self.bad("base-age", "E-BASE-AGE", 15, "The base whose age counts was a second too old.", |_, case| {
            case.claims.how.engines[0].bases[1].date = ISSUED - 7 * DAY - 1;
        });
        self.bad("base-missing", "E-BASE-AGE", 15, "No base has the name whose age counts.", |_, case| {
            case.claims.how.engines[0].bases[1].name = "dailylike.cvd".into();
        });
        self.bad("base-age-one-of-two", "E-BASE-AGE", 15, "Of two bases of the name one is too old.", |_, case| {
            let base = case.claims.how.engines[0].bases[1].clone();
            case.claims.how.engines[0].bases.push(Base { name: "daily.cvd".into(), date: 1, ..base });
        });
        self.bad("base-empty", "E-BASE-AGE", 15, "The base whose age counts has no signatures.", |_, case| {
            case.claims.how.engines[0].bases[1].signatures = 0;
        });
        self.bad("base-age-named", "E-BASE-AGE", 15, "The policy names another base, which is too old.", |_, case| {
            case.policy = json!({ "fresh_bases": ["daily", "rules"], "max_base_age": 3600 * 30 });
            case.claims.how.engines[1].bases[0].date = ISSUED - 3600 * 30 - 1;
        });
        self.bad("base-future", "E-BASE-AGE", 15, "A base whose age does not count is from the future.", |_, case| {
            case.claims.how.engines[1].bases[0].date = ISSUED + DAY + 1;
        });
    }

    fn times(&mut self) {
        self.bad("not-yet-valid", "E-NOT-YET-VALID", 12, "Issued 601 seconds after now.", |_, case| {
            case.clock = ISSUED - 601;
        });
        self.bad("expired", "E-EXPIRED", 12, "The moment of expiry.", |_, case| case.clock = case.claims.expires);
        self.bad(
            "clock-behind-memory",
            "E-EXPIRED",
            12,
            "The clock was set back; the authority said otherwise.",
            |_, case| {
                case.memory["time"] = json!(case.claims.expires);
            },
        );
        self.bad("too-old", "E-TOO-OLD", 12, "Older than the policy's maximum.", |_, case| {
            case.policy = json!({ "max_tag_age": 3600 });
        });
        self.bad("replayed", "E-REPLAYED", 14, "A newer tag was seen for this medium.", |_, case| {
            case.remember_counter(case.authority(), &case.claims.clone(), 43);
        });
    }

    fn manifest(&mut self) {
        self.bad("manifest-altered", "E-MANIFEST", 16, "One bit of a digest in the manifest.", |_, case| {
            let mut file = case.tag();
            let at = file.len() - 20;
            file[at] ^= 1;
            case.file = Some(file);
        });
        // Signed by a station that breaks the rules.
        let resign = |manifest: Vec<u8>, case: &mut Case| {
            use sha2::{Digest, Sha256};
            case.claims.content.manifest_length = manifest.len() as u64;
            case.claims.content.manifest_sha256 = Sha256::digest(&manifest).into();
            case.manifest = manifest;
        };
        let lines =
            |case: &Case, order: &[usize]| -> Vec<u8> { order.iter().flat_map(|at| line(&case.items[*at])).collect() };
        self.bad("unsorted", "E-MANIFEST", 16, "Two entries in the wrong order.", |_, case| {
            resign(lines(case, &[1, 2, 0, 3]), case);
        });
        self.bad("duplicate", "E-MANIFEST", 16, "An entry twice.", |_, case| {
            resign(lines(case, &[0, 1, 2, 2, 3]), case);
        });
        self.bad("no-folder", "E-MANIFEST", 16, "A file whose folder is not listed.", |_, case| {
            resign(lines(case, &[0, 2, 3]), case);
        });
        self.bad("counts", "E-MANIFEST", 16, "An entry less than the claims say.", |_, case| {
            resign(lines(case, &[0, 1, 2]), case);
        });
        self.bad("tag-listed", "E-MANIFEST", 16, "The tag lists itself.", |_, case| {
            case.items.insert(1, item("blanche.tag", EntryKind::File, b"any"));
            case.seal_items();
        });
        let named = |path: &'static [u8]| {
            move |_: &World, case: &mut Case| {
                let mut stranger = item("", EntryKind::File, b"any");
                stranger.path = path.to_vec();
                case.items.push(stranger);
                case.seal_items();
                // No host could show it: the manifest alone has it.
                case.items.pop();
            }
        };
        self.bad("name-not-wtf8", "E-MANIFEST", 16, "A name that is not WTF-8.", named(b"\xff"));
        let pair = named(b"\xed\xa0\xbd\xed\xb8\x80");
        self.bad("name-split-pair", "E-MANIFEST", 16, "A pair of surrogates, each on its own.", pair);
        self.bad("blake3", "E-CHANGED", 20, "A BLAKE3 that is not that of the content.", |_, case| {
            let mut manifest = case.manifest.clone();
            let value = entry(&case.items[2]).0.digests.unwrap().blake3;
            let at = manifest.windows(32).position(|window| window == value).unwrap();
            manifest[at] ^= 1;
            resign(manifest, case);
        });
        self.bad("subtree", "E-MANIFEST", 16, "A chaining value that does not join to the BLAKE3.", |_, case| {
            let mut manifest = case.manifest.clone();
            let value = entry(&case.items[0]).1[1];
            let at = manifest.windows(32).position(|window| window == value).unwrap();
            manifest[at] ^= 1;
            resign(manifest, case);
        });
    }

    fn medium(&mut self) {
        self.bad("other-capacity", "E-MEDIUM", 17, "Moved to a larger medium.", |_, case| {
            case.medium["capacity"] = json!(8 << 20);
        });
        self.bad("other-usb", "E-MEDIUM", 17, "Moved to another key of the same model.", |_, case| {
            case.medium["usb"]["serial"] = json!("4C530001AC");
        });
        self.bad(
            "usb-hidden",
            "E-NOT-AVAILABLE",
            17,
            "The policy wants the USB identity; it cannot be seen.",
            |_, case| {
                case.medium["usb"] = Value::Null;
                case.policy = json!({ "usb_not_available": "refuse" });
            },
        );
        self.bad("partition-added", "E-BOOT", 18, "A second partition in the table.", |_, case| {
            case.bytes[0].1[462 + 4] = 7;
        });
        self.bad("boot-code", "E-BOOT", 18, "Boot code in the reserved region.", |_, case| case.bytes[1].1[90] = 0x90);
        self.bad("gap", "E-BOOT", 18, "Bytes in the gap before the partition.", |_, case| {
            case.bytes.push((5000, vec![1]));
        });
        let about = "Nothing of the medium but its files can be seen, and level identity compares no file.";
        self.bad("level-identity-hidden", "E-NOT-AVAILABLE", 18, about, |_, case| {
            case.medium = json!({ "capacity": null, "block": null, "usb": null, "bytes": null });
            case.policy = json!({ "level": "identity" });
        });
        self.bad("added", "E-ADDED", 19, "A file more.", |_, case| {
            case.items.insert(3, item("docs/b.exe", EntryKind::File, b"MZ"));
        });
        let inserted = |content: fn(Vec<u8>) -> Vec<u8>, stream: Option<&'static [u8]>| {
            move |_: &World, case: &mut Case| {
                let tag = item("blanche.tag", EntryKind::File, &content(case.tag()));
                let stream = stream.map(|name| Item {
                    stream: Some(name.to_vec()),
                    kind: EntryKind::Stream,
                    ..item("blanche.tag", EntryKind::Stream, b"MZ")
                });
                case.items.splice(1..1, [tag].into_iter().chain(stream));
            }
        };
        let replaced = |mut tag: Vec<u8>| {
            *tag.last_mut().unwrap() ^= 1;
            tag
        };
        let about = "Another file of the same size in the place of the tag, which was given elsewhere.";
        self.bad("tag-replaced", "E-CHANGED", 19, about, inserted(replaced, None));
        let about = "A longer file in the place of the tag, which was given elsewhere.";
        self.bad("tag-longer", "E-CHANGED", 19, about, inserted(|tag| [tag, b"MZ".to_vec()].concat(), None));
        self.bad("tag-stream", "E-ADDED", 19, "A named stream on the tag.", inserted(|tag| tag, Some(b"evil")));
        self.bad("tag-elsewhere", "E-ADDED", 19, "A copy of the tag in a folder.", |_, case| {
            case.items.insert(3, item("docs/blanche.tag", EntryKind::File, &case.tag()));
        });
        self.bad("level-hidden", "E-NOT-AVAILABLE", 19, "No file can be seen; the policy wants all.", |_, case| {
            case.walked = Vec::new();
        });
        self.bad("volume-hidden", "E-NOT-AVAILABLE", 19, "The second volume cannot be seen.", |_, case| {
            case.split(Filesystem::Ext, AreaKind::Ext, 2048);
        });
        self.bad("stream-added", "E-ADDED", 19, "A named stream on a file.", |_, case| {
            let mut stream = item("docs/a.txt", EntryKind::Stream, b"MZ");
            stream.stream = Some(b"evil".to_vec());
            case.items.insert(3, stream);
        });
        self.bad("payload-in-artefact", "E-ADDED", 19, "A program under the name of a host artefact.", |_, case| {
            let folder = "System Volume Information";
            let file = item(&format!("{folder}/WPSettings.dat"), EntryKind::File, b"MZ\x90\0abcdefgh");
            case.items.splice(0..0, [item(folder, EntryKind::Folder, b""), file]);
        });
        self.bad("removed", "E-REMOVED", 19, "A file less.", |_, case| _ = case.items.remove(2));
        self.bad(
            "artefact-name-removed",
            "E-REMOVED",
            19,
            "A file less, with a host artefact's name alone.",
            |_, case| {
                case.items.insert(0, item(".DS_Store", EntryKind::File, b"notes"));
                case.seal_items();
                case.items.remove(0);
            },
        );
        self.bad("case-changed", "E-ADDED", 19, "A name in another case: one missing, one added.", |_, case| {
            case.items[2].path = b"docs\0A.txt".to_vec();
        });
        self.bad("resized", "E-CHANGED", 19, "Another size.", |_, case| case.items[2].content.push(b'!'));
        self.bad("changed", "E-CHANGED", 20, "The same size, one byte different.", |_, case| {
            case.items[2].content[0] = b'B';
        });
    }
}

/// An end certificate with this name and purpose.
fn san(world: &World, san: Option<&str>, purpose: Purpose) -> Station {
    world.chain(&Certificate { end: Some(End { san, purpose }), ..end_certificate() })
}

/// The envelope up to the signatures, and the two of them.
fn signatures(envelope: &[u8]) -> (Vec<u8>, [Vec<u8>; 2]) {
    // The ML-DSA signature is the last item; the classical one ends with 96 bytes after `58 60`.
    let first = envelope.windows(3).position(|window| window == [0x82, 0x83, 0x59]).unwrap();
    let header = u16::from_be_bytes([envelope[first + 3], envelope[first + 4]]);
    let second = first + 5 + usize::from(header) + 1 + 2 + 96;
    assert_eq!(envelope[second], 0x83);
    (envelope[..first].to_vec(), [envelope[first + 1..second].to_vec(), envelope[second..].to_vec()])
}

/// One entry as it stands in a manifest, alone: with its folder before it, which is cut away again.
fn line(one: &Item) -> Vec<u8> {
    let folder = one.path.iter().rposition(|byte| *byte == 0).map(|end| Item {
        path: one.path[..end].to_vec(),
        stream: None,
        kind: EntryKind::Folder,
        content: Vec::new(),
    });
    let alone: Vec<_> = folder.clone().into_iter().collect();
    let before = manifest(&alone).0.len();
    let both: Vec<_> = folder.into_iter().chain([one.clone()]).collect();
    manifest(&both).0[before..].to_vec()
}

/// Claims that a station would never sign.
struct Raw(Vec<u8>, Label, Label);

impl SignedClaims for Raw {
    const PURPOSE: Purpose = Purpose::Tag;

    fn encode(&self) -> Vec<u8> {
        self.0.clone()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let name = Label::try_from("none").unwrap();
        Ok(Self(bytes.to_vec(), name.clone(), name))
    }

    fn station(&self) -> &Label {
        &self.1
    }

    fn site(&self) -> &Label {
        &self.2
    }
}
