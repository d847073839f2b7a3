//! What a step of the ceremony says: what was made, what to compare, what comes next.

use crate::KeysError;
use crate::ceremony::{Entry, Issued, Renewed, Requests, Rotation};
use crate::certificate::time;
use blanche_tag::claims::Time;
use std::fmt::Write as _;
use std::path::Path;

const fn choose<'a>(french: bool, english: &'a str, in_french: &'a str) -> &'a str {
    if french { in_french } else { english }
}

/// A time as people read it, in UTC (RFC 3339).
fn date(seconds: Time) -> String {
    time(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

pub(super) fn authority(folder: &Path, is_intermediate: bool, french: bool) -> String {
    let folder = folder.display();
    let anchors = if is_intermediate {
        choose(
            french,
            "Workstations need nothing new as anchors: they trust the root.",
            "Les postes n'ont pas besoin de nouvelle ancre : ils font confiance à la racine.",
        )
        .to_owned()
    } else {
        let words =
            choose(french, "Carry to the workstations as anchors:", "À porter aux postes de travail comme ancres :");
        format!("{words} {folder}/classical.pem {folder}/post-quantum.pem")
    };
    let made = choose(french, "The authority is in", "L'autorité est dans");
    let lists = choose(
        french,
        "Carry to the workstations, now and at least every 31 days:",
        "À porter aux postes de travail, maintenant et au moins tous les 31 jours :",
    );
    format!("{made} {folder}\n{anchors}\n{lists} {folder}/crls/* {folder}/lists/*\n")
}

fn key_digests(text: &mut String, keys: &[String], french: bool) {
    let label = choose(french, "SHA-256 of the public key", "SHA-256 de la clé publique");
    for (name, key) in ["classical", "post-quantum"].iter().zip(keys) {
        let _ = writeln!(text, "{label} ({name}): {key}");
    }
}

pub(super) fn requests(made: &Requests, french: bool) -> String {
    let mut text = String::new();
    text.push_str(choose(french, "Carry to the authority:", "À porter à l'autorité :"));
    for file in &made.files {
        let _ = write!(text, " {}", file.display());
    }
    text.push('\n');
    key_digests(&mut text, &made.keys, french);
    text.push_str(choose(
        french,
        "Write both digests down: the authority must show the same.\n",
        "Notez les deux empreintes : l'autorité doit montrer les mêmes.\n",
    ));
    text
}

pub(super) fn issued(issued: &Issued, out: &Path, french: bool) -> Result<String, KeysError> {
    let mut text = String::new();
    let _ = writeln!(text, "{}: {}", choose(french, "Serial number", "Numéro de série"), issued.serial);
    let journal = choose(french, "Serial number for the journal", "Numéro de série pour le journal");
    let _ = writeln!(text, "{journal}: {}", issued.checkpoint_serial);
    let _ = writeln!(text, "{}: {}", choose(french, "Valid until", "Valable jusqu'au"), time(issued.end)?);
    key_digests(&mut text, &issued.keys, french);
    text.push_str(choose(
        french,
        "Compare both digests with those that the station showed. If they differ, revoke both serial numbers.\n",
        "Comparez les deux empreintes à celles que la station a montrées. Sinon, révoquez les deux numéros de série.\n",
    ));
    let out = out.display();
    let carry =
        choose(french, "Carry to the station's key folder:", "À porter dans le dossier de clés de la station :");
    let _ = writeln!(
        text,
        "{carry} {out}/classical.pem {out}/post-quantum.pem {out}/classical.checkpoint.pem \
         {out}/post-quantum.checkpoint.pem"
    );
    Ok(text)
}

pub(super) fn rotation(done: &Rotation, french: bool) -> String {
    match done {
        Rotation::Requested(made) => {
            let mut text = requests(made, french);
            text.push_str(choose(
                french,
                "The old keys stay in use. Put the certificates that come back into next/ and call rotate again.\n",
                "Les anciennes clés restent en service. Mettez les certificats reçus dans next/ et relancez rotate.\n",
            ));
            text
        }
        Rotation::Changed(retired) => {
            let first = choose(
                french,
                "The new keys are in use once the station is restarted. Tags of the old ones stay valid until they expire. \
                 Old keys:",
                "Les nouvelles clés servent dès le redémarrage de la station. Les étiquettes des anciennes restent \
                 valables jusqu'à leur expiration. Anciennes clés :",
            );
            let next = choose(french, "Destroy them.", "Détruisez-les.");
            format!("{first} {}\n{next}\n", retired.display())
        }
    }
}

pub(super) fn renewed(renewed: &Renewed, french: bool) -> String {
    let [certificates, tags, contents] = renewed.revoked;
    let (crl, list) = (renewed.crl, renewed.list);
    let mut text = if french {
        format!(
            "CRL numéro {crl} ({certificates} certificats révoqués), liste numéro {list} ({tags} étiquettes, {contents} \
             contenus).\nÀ porter aux postes de travail, au moins tous les 31 jours :\n"
        )
    } else {
        format!(
            "CRL number {crl} ({certificates} certificates revoked), list number {list} ({tags} tags, {contents} \
             contents).\nCarry to the workstations, at least every 31 days:\n"
        )
    };
    renewed.files.iter().for_each(|file| _ = writeln!(text, "  {}", file.display()));
    text
}

pub(super) fn entries(entries: &[Entry], french: bool) -> String {
    let mut text = String::new();
    for entry in entries {
        let state = match (entry.revoked, entry.is_over()) {
            (Some(at), _) => format!("{} {}", choose(french, "revoked", "révoqué"), date(at)),
            (None, true) => choose(french, "expired", "expiré").to_owned(),
            (None, false) => choose(french, "valid", "valable").to_owned(),
        };
        let _ = writeln!(text, "{}  {}  {}  {state}  {}", entry.serial, date(entry.from), date(entry.end), entry.name);
    }
    text
}
