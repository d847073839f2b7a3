//! What the station and its signer say to each other over the channel. Both sides refuse what is longer than it may be.

use blanche_sandbox::wire::Message;
use serde::{Deserialize, Serialize};

/// Most bytes of claims: those of the largest envelope of a tag (docs/tag-format.md, section 5). The signer's own limit is
/// lower by what certificates and signatures take.
pub const MAX_CLAIMS: usize = 262_144;

/// To the signer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToSigner {
    /// Who are you, and what would you sign?
    Describe,
    /// Sign these claims.
    Sign {
        /// In their deterministic encoding.
        claims: Vec<u8>,
    },
    /// Sign this checkpoint of the station's journal (docs/journal.md, section 6).
    SignCheckpoint {
        /// In their deterministic encoding.
        claims: Vec<u8>,
    },
}

impl Message for ToSigner {
    /// The claims and a few bytes of lengths.
    const MAX_BYTES: u32 = 262_144 + 16;
    const MAX_FDS: usize = 0;
}

/// What a signer says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// First label of its name.
    pub station: String,
    /// Second label.
    pub site: String,
    /// When the first certificate of its chains ends; seconds since 1970. A tag cannot be valid for longer.
    pub certificate_expires: u64,
    /// The lowest counter that it would sign.
    pub next_counter: u64,
    /// Names of bases that must have been used and whose age counts.
    pub fresh_bases: Vec<String>,
    /// Seconds between the date of such a base and the issue of a tag, at most.
    pub max_base_age: u64,
    /// Seconds between issue and expiry of a tag, at most.
    pub max_validity: u64,
    /// The classical key is in a PKCS#11 token, so the process is confined less (docs/keys.md).
    pub uses_token: bool,
    /// It has certificates for checkpoints of a journal.
    pub signs_checkpoints: bool,
    /// Bytes of an envelope beside its claims, at most: certificates, signatures, headers.
    pub envelope_overhead: u64,
}

/// From the signer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromSigner {
    /// Answer to [`ToSigner::Describe`].
    Described(Description),
    /// The envelope of a tag, or of a checkpoint.
    Signed {
        /// COSE, as it goes into the tag file or the journal.
        envelope: Vec<u8>,
    },
    /// Nothing was signed.
    Refused {
        /// Why.
        refusal: Refusal,
        /// The values that decided, in English, for the log; hostile text is escaped.
        detail: String,
    },
}

impl Message for FromSigner {
    const MAX_BYTES: u32 = 262_144 + 16;
    const MAX_FDS: usize = 0;
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident $word:literal $english:literal $french:literal)*) => {
        /// Why a signer does not sign. The words are stable: never reused nor renamed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Refusal { $($(#[$doc])* $name,)* }

        impl Refusal {
            /// All of them, in the order in which the signer looks.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// As it stands in reports and logs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The sentence: what is wrong and what to do next.
            #[must_use]
            pub const fn sentence(self, french: bool) -> &'static str {
                match self { $(Self::$name => if french { $french } else { $english },)* }
            }
        }
    };
}

refusals! {
    /// More bytes than an envelope has room for.
    TooLarge "too-large"
        "The claims are too large for a tag. The medium has too many volumes or areas; it cannot be sealed."
        "Les déclarations sont trop longues pour une étiquette. Le support a trop de volumes ou de zones ; il ne peut pas être scellé."
    /// They are not the claims of a tag, or of a checkpoint.
    Malformed "malformed"
        "The request to the signer is damaged. Restart the station; tell the administrator if it happens again."
        "La demande de signature est endommagée. Redémarrez la station ; prévenez l'administrateur si cela se répète."
    /// Another station or site.
    Foreign "foreign"
        "The request names another station than the signer's certificates. Compare signer.toml with the station's configuration."
        "La demande nomme une autre station que les certificats. Comparez signer.toml avec la configuration de la station."
    /// A verdict other than clean.
    Verdict "verdict"
        "Only a clean medium is sealed. Treat the medium as its report says."
        "Seul un support sain est scellé. Traitez le support comme l'indique son rapport."
    /// An exception.
    Exception "exception"
        "Part of the medium was excepted from the check. This station does not sign that."
        "Une partie du support a été dispensée de contrôle. Cette station ne signe pas cela."
    /// A base that the policy of the signer names is not among them.
    BaseMissing "base-missing"
        "A signature base that the signer demands is missing. Update the bases, then check the medium again."
        "Une base de signatures exigée pour signer est absente. Mettez les bases à jour, puis recontrôlez le support."
    /// A base older than the policy of the signer allows.
    BaseTooOld "base-too-old"
        "A signature base is too old. Update the bases, then check the medium again."
        "Une base de signatures est trop ancienne. Mettez les bases à jour, puis recontrôlez le support."
    /// A base dated more than a day after the issue.
    BaseInFuture "base-in-future"
        "A signature base is dated in the future. Check the station's clock and the source of the bases."
        "Une base de signatures est datée dans le futur. Vérifiez l'horloge de la station et la source des bases."
    /// Issued too long before or after now.
    Clock "clock"
        "The time of issue is not now. Check the station's clock, then check the medium again."
        "L'heure de signature n'est pas l'heure actuelle. Vérifiez l'horloge de la station, puis recontrôlez le support."
    /// Valid for longer than the policy of the signer allows.
    Validity "validity"
        "The tag would be valid for longer than this signer allows. Shorten the validity in the station's configuration."
        "L'étiquette serait valable plus longtemps que permis. Réduisez la durée dans la configuration de la station."
    /// A certificate of the signer has expired, or is not yet valid.
    Certificate "certificate"
        "The station's certificate has expired or is not yet valid. Check the clock; renew the keys (blanche keys rotate)."
        "Le certificat de la station est expiré ou pas encore valable. Vérifiez l'horloge ; renouvelez les clés (blanche keys rotate)."
    /// A counter that was used before, or a jump of more than 2^20.
    Counter "counter"
        "This number was used before, or is far ahead. Restart the station; if it happens again its counter was restored from a copy: tell the administrator."
        "Ce numéro a déjà servi, ou est bien trop haut. Redémarrez la station ; si cela se répète, son compteur vient d'une copie : prévenez l'administrateur."
    /// The counter cannot be put on the disk.
    CounterNotKept "counter-not-kept"
        "The signer cannot write its counter, so it signs nothing. Check the disk of the station."
        "Le compteur ne peut pas être écrit, donc rien n'est signé. Vérifiez le disque de la station."
    /// A checkpoint, and there are no certificates for that.
    NoCheckpoint "no-checkpoint-certificate"
        "The station has no certificates for its journal. Have them issued (blanche keys issue), and put them into the key folder."
        "La station n'a pas de certificats pour son journal. Faites-les émettre (blanche keys issue) et mettez-les dans le dossier de clés."
    /// The keys did not sign.
    Keys "keys"
        "The keys did not sign. Check the token, then restart the station."
        "Les clés n'ont pas signé. Vérifiez le jeton, puis redémarrez la station."
}

#[cfg(test)]
mod tests {
    use super::Refusal;
    use std::collections::BTreeSet;

    #[test]
    fn every_refusal_has_its_own_word_and_both_sentences() {
        let words: BTreeSet<_> = Refusal::ALL.iter().map(|refusal| refusal.as_str()).collect();
        assert_eq!(words.len(), Refusal::ALL.len());
        for refusal in Refusal::ALL {
            assert!(refusal.sentence(false).ends_with('.') && refusal.sentence(true).ends_with('.'));
            assert_ne!(refusal.sentence(false), refusal.sentence(true));
        }
    }
}
