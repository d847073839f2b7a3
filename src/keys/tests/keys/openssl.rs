//! OpenSSL as an oracle for the classical half: keys, requests, certificates, chains, CRLs.

use crate::claims::{DAY, encoded, now};
use crate::world::{SITE, STATION, World, keys, succeeds, tool};
use blanche_keys::{KeysError, SignerError};
use blanche_tag::Code;
use std::fs;

/// `openssl verify` with the anchor, the site's certificate, and both CRLs.
fn verify(world: &World, certificate: &str, at: u64) -> (bool, String) {
    let crls = [world.text("root/crls/acme.classical.crl"), world.text("site/crls/acme-a.classical.crl")];
    let all = crls.iter().map(|path| fs::read_to_string(path).unwrap()).collect::<String>();
    fs::write(world.at("all.crl"), all).unwrap();
    let (anchor, site, crl) =
        (world.text("root/classical.pem"), world.text("site/classical.pem"), world.text("all.crl"));
    let (certificate, at) = (world.text(certificate), at.to_string());
    let trust = ["verify", "-x509_strict", "-CAfile", &anchor, "-untrusted", &site, "-CRLfile", &crl];
    tool("openssl", &[&trust[..], &["-crl_check_all", "-attime", &at, &certificate]].concat())
}

#[test]
fn openssl_accepts_the_chain_with_crls_and_refuses_it_after_revocation() {
    let world = World::with_station();
    let (accepted, said) = verify(&world, "station/classical.pem", now());
    assert!(accepted && said.trim_end().ends_with("OK"), "{said}");
    world.revoke("site", &["--station", STATION, "--site", SITE]).unwrap();
    let (accepted, said) = verify(&world, "station/classical.pem", now());
    assert!(!accepted && said.contains("certificate revoked"), "{said}");
    let (accepted, said) = verify(&world, "site/classical.pem", now());
    assert!(accepted, "the site's own certificate stands: {said}");
    let listed = keys(&["list", "--authority", &world.text("root")]).unwrap();
    let line = listed.lines().find(|line| line.ends_with("  acme-a")).unwrap();
    world.revoke("root", &["--serial", line.split(' ').next().unwrap()]).unwrap();
    let (accepted, said) = verify(&world, "site/classical.pem", now());
    assert!(!accepted && said.contains("certificate revoked"), "{said}");
}

#[test]
fn openssl_reads_numbers_names_and_extensions_as_they_were_meant() {
    let world = World::with_station();
    world.revoke("site", &["--renew"]).unwrap();
    let crl = world.text("site/crls/acme-a.classical.crl");
    let said = succeeds("openssl", &["crl", "-in", &crl, "-noout", "-text", "-crlnumber"]);
    assert!(said.contains("crlNumber=0x02") && said.contains("Version 2"), "{said}");
    assert!(said.contains("X509v3 Authority Key Identifier"), "{said}");
    let end = succeeds("openssl", &["x509", "-in", &world.text("station/classical.pem"), "-noout", "-text"]);
    let expected = [
        "Signature Algorithm: ecdsa-with-SHA384",
        "X509v3 Key Usage: critical\n                Digital Signature\n",
        "2.25.222243778622752942389732164667255593586.1.1\n",
        "X509v3 Subject Alternative Name: \n                DNS:station-1.site-a.blanche.invalid\n",
        "CN = station-1",
    ];
    expected.iter().for_each(|words| assert!(end.contains(words), "{words} is missing in {end}"));
    let site = succeeds("openssl", &["x509", "-in", &world.text("site/classical.pem"), "-noout", "-text"]);
    let expected = [
        "X509v3 Basic Constraints: critical\n                CA:TRUE\n",
        "X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign\n",
        "X509v3 Name Constraints: critical\n                Permitted:\n                  DNS:site-a.blanche.invalid\n",
    ];
    expected.iter().for_each(|words| assert!(site.contains(words), "{words} is missing in {site}"));
}

#[test]
fn openssl_opens_the_classical_keys_and_checks_the_request() {
    let world = World::with_authorities();
    let shown = world.request();
    // The command of docs/keys.md shows the digest that people write down.
    let csr = world.text("station/classical.csr");
    let command = format!("openssl req -in {csr} -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum");
    let digest = succeeds("sh", &["-c", &command]);
    assert!(shown.contains(digest.split(' ').next().unwrap()), "{digest} is not in {shown}");
    for (key, pass) in [("root/classical.key", "root.pass"), ("station/classical.key", "station.pass")] {
        let (key, pass) = (world.text(key), format!("file:{}", world.text(pass)));
        let said = succeeds("openssl", &["pkey", "-in", &key, "-passin", &pass, "-noout", "-text"]);
        assert!(said.contains("secp384r1"), "{said}");
        assert!(!tool("openssl", &["pkey", "-in", &key, "-passin", "pass:wrong", "-noout"]).0);
    }
    let said = succeeds("openssl", &["req", "-in", &world.text("station/classical.csr"), "-noout", "-verify", "-text"]);
    assert!(said.contains("verify OK") && said.contains("DNS:station-1.site-a.blanche.invalid"), "{said}");
    let parsed = succeeds("openssl", &["asn1parse", "-in", &world.text("station/post-quantum.key")]);
    for words in [":PBES2", ":scrypt", ":aes-256-cbc"] {
        assert!(parsed.contains(words), "{words}: {parsed}");
    }
}

/// A certificate of the station's classical key that OpenSSL makes with the site's key.
fn certify(world: &World, extensions: &str, name: &str) {
    let (site, key) = (world.text("site/classical.pem"), world.text("site/classical.key"));
    let pass = format!("file:{}", world.text("site.pass"));
    let (request, out, file) = (world.text("station/classical.csr"), world.text(name), world.text("extensions"));
    fs::write(world.at("extensions"), extensions).unwrap();
    let from = ["x509", "-req", "-in", &request, "-CA", &site, "-CAkey", &key, "-passin", &pass, "-sha384"];
    let rest = ["-set_serial", "99", "-days", "2900", "-extfile", &file, "-out", &out];
    succeeds("openssl", &[&from[..], &rest].concat());
}

const USAGE: &str = "keyUsage=critical,digitalSignature\n";
const PURPOSE: &str = "extendedKeyUsage=2.25.222243778622752942389732164667255593586.1.1\n";
const NAME: &str = "subjectAltName=DNS:station-1.site-a.blanche.invalid\n";

/// The refusal of a tag that was signed under a classical certificate with these extensions, and whether OpenSSL accepts
/// that certificate.
fn judged(extensions: &str, later: u64) -> (Option<Code>, bool) {
    let world = World::with_station();
    let good = fs::read_to_string(world.at("station/classical.pem")).unwrap();
    let issuer = good.split_once("-----END CERTIFICATE-----\n").unwrap().1.to_owned();
    certify(&world, extensions, "bad.pem");
    let bad = fs::read_to_string(world.at("bad.pem")).unwrap();
    fs::write(world.at("station/classical.pem"), format!("{bad}{issuer}")).unwrap();
    let (accepted, _) = verify(&world, "bad.pem", now() + later);
    // The signer refuses a chain that is not of its station (that verifiers refuse such a tag is in tests/evil: name-…, site-…).
    let code = match world.spawn().and_then(|signer| signer.sign(&encoded(STATION, SITE, 1))) {
        Ok(envelope) => world.trust().verify(&envelope, now() + later).err().map(|refusal| refusal.code),
        Err(error) => {
            assert!(matches!(error, SignerError::Birth(_)), "{error}");
            Some(Code::Name)
        }
    };
    (code, accepted)
}

#[test]
fn wrong_key_usage_purpose_and_name_of_the_classical_certificate_are_refused() {
    assert_eq!(judged(&format!("{USAGE}{PURPOSE}{NAME}"), 0), (None, true), "as it should be");
    let other = PURPOSE.replace(".1.1\n", ".1.2\n");
    assert_eq!(judged(&format!("{USAGE}{other}{NAME}"), 0).0, Some(Code::KeyUsage));
    let usage = "keyUsage=critical,keyAgreement\n";
    assert_eq!(judged(&format!("{usage}{PURPOSE}{NAME}"), 0).0, Some(Code::KeyUsage));
    assert_eq!(judged(&format!("{USAGE}{NAME}"), 0).0, Some(Code::KeyUsage));
    assert_eq!(judged(&format!("{USAGE}{PURPOSE}"), 0).0, Some(Code::Name), "no name");
    let foreign = NAME.replace("site-a", "site-b");
    assert_eq!(
        judged(&format!("{USAGE}{PURPOSE}{foreign}"), 0),
        (Some(Code::Name), false),
        "OpenSSL: outside the constraint"
    );
}

#[test]
fn openssl_and_the_verifier_refuse_an_expired_intermediate() {
    let world = World::with_station();
    let envelope = world.spawn().unwrap().sign(&encoded(STATION, SITE, 1)).unwrap();
    let after = now() + 3001 * DAY;
    let (accepted, said) = verify(&world, "station/classical.pem", after);
    assert!(!accepted && said.contains("certificate has expired"), "{said}");
    assert_eq!(world.trust().verify(&envelope, after).unwrap_err().code, Code::CertificateTime);
}

#[test]
fn a_key_that_was_certified_under_another_name_is_refused() {
    let world = World::with_station();
    let (key, pass) = (world.text("station/classical.key"), format!("file:{}", world.text("station.pass")));
    let request = world.text("other.csr");
    let make = ["req", "-new", "-key", &key, "-passin", &pass, "-sha384", "-subj", "/CN=station-2", "-out", &request];
    succeeds("openssl", &[&make[..], &["-addext", "subjectAltName=DNS:station-2.site-a.blanche.invalid"]].concat());
    let (site, pass, out) = (world.text("site"), world.text("site.pass"), world.text("out"));
    let second = world.text("station/post-quantum.csr");
    let who = ["issue", "--authority", &site, "--station", "station-2", "--site", SITE, "--out", &out];
    let error = keys(&[&who[..], &["--passphrase-file", &pass, &request, &second]].concat()).unwrap_err();
    assert!(matches!(&error, KeysError::Request { what, .. } if what.contains("under another name")), "{error}");
}
