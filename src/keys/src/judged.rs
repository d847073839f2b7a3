//! Certificates that the ceremony never makes, judged by the verifier of `blanche-tag` and by OpenSSL: both refuse them, so
//! the ceremony's rules are not all that stands between a mistake and a workstation.

#[path = "../tests/keys/claims.rs"]
mod claims;

use crate::KeysError;
use crate::ceremony::authority::{Authority, Unlocked, pem};
use crate::ceremony::{NewAuthority, make_authority};
use crate::certificate::{
    self, DAY, Kind, Period, Profile, StationName, distinguished_name, label, now, serial_number,
};
use crate::client::{SignerError, accept};
use crate::key::PrivateKey;
use crate::protocol::FromSigner;
use crate::secret::Secret;
use blanche_tag::envelope::{Algorithm, Purpose, SignedClaims as _, Signer, seal};
use blanche_tag::{Claims, Code};
use claims::Trust;
use std::path::Path;
use std::process::Command;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::certificate::TbsCertificate;
use x509_cert::der::{Document, Encode};
use x509_cert::ext::Extension;
use x509_cert::name::Name;
use x509_cert::spki::SubjectPublicKeyInfoRef;

/// A profile without one of its extensions.
struct Without {
    profile: Profile,
    last_arc: u32,
}

impl BuilderProfile for Without {
    fn get_issuer(&self, subject: &Name) -> Name {
        self.profile.get_issuer(subject)
    }

    fn get_subject(&self) -> Name {
        self.profile.get_subject()
    }

    fn build_extensions(
        &self,
        key: SubjectPublicKeyInfoRef<'_>,
        issuer: SubjectPublicKeyInfoRef<'_>,
        tbs: &TbsCertificate,
    ) -> Result<Vec<Extension>, x509_cert::builder::Error> {
        let mut all = self.profile.build_extensions(key, issuer, tbs)?;
        all.retain(|extension| extension.extn_id.arcs().last() != Some(self.last_arc));
        Ok(all)
    }
}

/// Keys and chains that this module made as it liked.
struct Made {
    keys: [PrivateKey; 2],
    chains: [Vec<Vec<u8>>; 2],
}

impl Signer for Made {
    fn chain(&self, algorithm: Algorithm) -> Vec<Vec<u8>> {
        self.chains[usize::from(algorithm == Algorithm::PostQuantum)].clone()
    }

    fn sign(&mut self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, String> {
        self.keys[usize::from(algorithm == Algorithm::PostQuantum)].sign(message)
    }
}

struct World {
    folder: tempfile::TempDir,
    passphrase: Secret,
}

/// What of the end certificates is wrong.
struct Wrong {
    name: StationName,
    purpose: Purpose,
    /// Last arc of an extension that is left out.
    without: u32,
    days: u64,
}

impl Wrong {
    fn nothing() -> Self {
        let name = StationName::new("station-1", "site-a").unwrap();
        Self { name, purpose: Purpose::Tag, without: 0, days: 365 }
    }
}

impl World {
    /// A root, and an authority for site-a below it that ends after 1000 days.
    fn new() -> Self {
        let world =
            Self { folder: tempfile::tempdir().unwrap(), passphrase: Secret::new("a passphrase of tests".to_owned()) };
        let root = world.folder.path().join("root");
        let new = NewAuthority { folder: &root, name: "acme", sites: &[], under: None, days: 3650 };
        make_authority(&new, &world.passphrase).unwrap();
        let site = world.folder.path().join("site");
        let sites = ["site-a".to_owned()];
        let new = NewAuthority {
            folder: &site,
            name: "acme-a",
            sites: &sites,
            under: Some((&root, &world.passphrase)),
            days: 1000,
        };
        make_authority(&new, &world.passphrase).unwrap();
        world
    }

    fn open(&self, name: &str) -> Unlocked {
        Authority::open(&self.folder.path().join(name)).unwrap().unlock(&self.passphrase).unwrap()
    }

    fn read(&self, path: &str) -> Vec<u8> {
        let text = std::fs::read_to_string(self.folder.path().join(path)).unwrap();
        let end = text.find("-----END").unwrap();
        let length = text[end..].find('\n').map_or(text.len(), |line| end + line + 1);
        Document::from_pem(&text[..length]).unwrap().1.as_bytes().to_vec()
    }

    fn trust(&self) -> Trust {
        let crls = ["root/crls/acme", "site/crls/acme-a"];
        let crls = crls.iter().flat_map(|name| ["classical", "post-quantum"].map(|kind| format!("{name}.{kind}.crl")));
        let lists = ["root/lists/acme.authority.cose", "site/lists/acme-a.site-a.cose"];
        Trust {
            anchors: ["root/classical.pem", "root/post-quantum.pem"].map(|path| self.read(path)),
            crls: crls.map(|path| self.read(&path)).collect(),
            lists: lists.iter().map(|path| std::fs::read(self.folder.path().join(path)).unwrap()).collect(),
        }
    }

    /// Both end certificates, wrong in this respect, under the authority for site-a.
    fn made(&self, wrong: &Wrong) -> Made {
        let unlocked = self.open("site");
        let serial = serial_number().unwrap();
        let make = |algorithm: Algorithm| -> Result<(PrivateKey, Vec<Vec<u8>>), KeysError> {
            let key = PrivateKey::generate(algorithm)?;
            let profile = Profile {
                kind: Kind::End(wrong.name.clone(), wrong.purpose),
                subject: distinguished_name("station-1", Some(&label("site-a")?), algorithm)?,
                issuer: unlocked.authority.certificate(algorithm)?.tbs_certificate().subject().clone(),
            };
            let profile = Without { profile, last_arc: wrong.without };
            let period = Period { made: now(), days: wrong.days };
            let end = certificate::issue(profile, &serial, period, &key.public()?, unlocked.key(algorithm))?;
            if algorithm == Algorithm::Classical {
                let end = pem(std::slice::from_ref(&end))?;
                std::fs::write(self.folder.path().join("end.pem"), end).unwrap();
            }
            let chain = std::iter::once(end).chain(unlocked.authority.chain_below_root(algorithm));
            Ok((key, chain.map(|one| one.to_der().unwrap()).collect()))
        };
        let (one, two) = (make(Algorithm::Classical).unwrap(), make(Algorithm::PostQuantum).unwrap());
        Made { keys: [one.0, two.0], chains: [one.1, two.1] }
    }

    /// The refusal of a tag under such certificates, `later` seconds from now.
    fn judged(&self, wrong: &Wrong, later: u64) -> Option<Code> {
        let claims = claims::claims(wrong.name.station.as_str(), wrong.name.site.as_str(), 1);
        let envelope = seal(&claims, &mut self.made(wrong)).unwrap();
        self.trust().verify(&envelope, now() + later).err().map(|refusal| refusal.code)
    }

    /// Whether OpenSSL accepts the classical end certificate that was made last.
    fn openssl(&self, later: u64) -> (bool, String) {
        let path = |name: &str| self.folder.path().join(name);
        let output = Command::new("openssl")
            .args(["verify", "-x509_strict", "-attime", &(now() + later).to_string()])
            .args([Path::new("-CAfile"), &path("root/classical.pem")])
            .args([Path::new("-untrusted"), &path("site/classical.pem"), &path("end.pem")])
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[test]
fn only_certificates_as_the_format_demands_are_accepted() {
    let world = World::new();
    assert_eq!(world.judged(&Wrong::nothing(), 0), None);
    let (accepted, said) = world.openssl(0);
    assert!(accepted, "{said}");
    // keyUsage, subjectAltName and extendedKeyUsage: 2.5.29.15, 17, 37.
    assert_eq!(world.judged(&Wrong { without: 15, ..Wrong::nothing() }, 0), Some(Code::KeyUsage));
    assert_eq!(world.judged(&Wrong { without: 17, ..Wrong::nothing() }, 0), Some(Code::Name));
    assert_eq!(world.judged(&Wrong { without: 37, ..Wrong::nothing() }, 0), Some(Code::KeyUsage));
    for purpose in [Purpose::Checkpoint, Purpose::RevocationList, Purpose::Exception, Purpose::WipeCertificate] {
        assert_eq!(world.judged(&Wrong { purpose, ..Wrong::nothing() }, 0), Some(Code::KeyUsage), "{purpose:?}");
    }
}

#[test]
fn a_site_outside_the_constraint_is_refused_in_both_chains() {
    let world = World::new();
    let name = StationName::new("station-1", "site-b").unwrap();
    assert_eq!(world.judged(&Wrong { name, ..Wrong::nothing() }, 0), Some(Code::Site));
    let (accepted, said) = world.openssl(0);
    assert!(!accepted && said.contains("permitted subtree violation"), "{said}");
    // Below the constraint by its letters only.
    let name = StationName::new("station-1", "xsite-a").unwrap();
    assert_eq!(world.judged(&Wrong { name, ..Wrong::nothing() }, 0), Some(Code::Site));
}

#[test]
fn an_intermediate_that_has_expired_before_its_station_is_refused() {
    let world = World::new();
    let wrong = Wrong { days: 2000, ..Wrong::nothing() };
    let later = 1001 * DAY;
    assert_eq!(world.judged(&wrong, later), Some(Code::CertificateTime));
    let (accepted, said) = world.openssl(later);
    assert!(!accepted && said.contains("certificate has expired"), "{said}");
}

#[test]
fn the_station_takes_no_envelope_of_other_claims_for_an_answer() {
    let world = World::new();
    let mut keys = world.made(&Wrong::nothing());
    let asked = claims::claims("station-1", "site-a", 1);
    let other = Claims { counter: 2, ..asked.clone() };
    let answer = |envelope: Vec<u8>| accept::<Claims>(&asked.encode(), FromSigner::Signed { envelope });
    let right = seal(&asked, &mut keys).unwrap();
    assert_eq!(answer(right.clone()).unwrap(), right);
    assert!(matches!(answer(seal(&other, &mut keys).unwrap()), Err(SignerError::WrongAnswer(_))));
    let (cut, _) = right.split_at(right.len() - 1);
    for nonsense in [Vec::new(), cut.to_vec(), asked.encode()] {
        assert!(matches!(answer(nonsense), Err(SignerError::WrongAnswer(_))));
    }
}
