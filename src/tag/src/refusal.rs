//! Why a tag is refused: stable codes, each with a French and an English sentence and what to do next. The table of
//! docs/tag-format.md, section 17; a test compares the two.

/// Sentences of one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sentences {
    /// What is wrong.
    pub what: &'static str,
    /// What to do next.
    pub next: &'static str,
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident $code:literal en $en:literal $en_next:literal fr $fr:literal $fr_next:literal)*) => {
        /// A stable refusal code: never reused nor renamed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// All of them, in the order of the specification.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// As it stands in results, logs and documents.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// In English.
            #[must_use]
            pub const fn english(self) -> Sentences {
                match self { $(Self::$name => Sentences { what: $en, next: $en_next },)* }
            }

            /// In French.
            #[must_use]
            pub const fn french(self) -> Sentences {
                match self { $(Self::$name => Sentences { what: $fr, next: $fr_next },)* }
            }
        }
    };
}

refusals! {
    /// Nothing that calls itself a tag is there.
    NoTag "E-NO-TAG"
        en "There is no tag on this medium." "Have it checked at a station."
        fr "Ce support ne porte pas d'étiquette." "Faites-le contrôler à une station blanche."
    /// The file is not a tag file, or is cut or prolonged.
    Format "E-FORMAT"
        en "The tag file is damaged." "Have the medium checked again."
        fr "Le fichier d'étiquette est endommagé." "Faites contrôler à nouveau le support."
    /// A version of the file that this verifier does not know.
    Version "E-VERSION"
        en "The tag was written for a newer verifier." "Ask the administrator for an update."
        fr "L'étiquette a été écrite pour un vérificateur plus récent." "Demandez une mise à jour à l'administrateur."
    /// Not the deterministic encoding of section 3.
    Encoding "E-ENCODING"
        en "The tag is not encoded as the format demands." "Have the medium checked again."
        fr "L'étiquette n'est pas codée comme le format l'exige." "Faites contrôler à nouveau le support."
    /// Not the envelope of section 5.
    Envelope "E-ENVELOPE"
        en "The tag's envelope is not built as the format demands." "Have the medium checked again."
        fr "L'enveloppe de l'étiquette n'a pas la forme exigée." "Faites contrôler à nouveau le support."
    /// A signed object of another purpose.
    Typ "E-TYP"
        en "This is a signed object, but not a tag." "Tell the security staff."
        fr "C'est un objet signé, mais pas une étiquette." "Prévenez l'équipe de sécurité."
    /// Not exactly two signatures.
    Signatures "E-SIGNATURES"
        en "The tag does not have exactly two signatures." "Tell the security staff."
        fr "L'étiquette n'a pas exactement deux signatures." "Prévenez l'équipe de sécurité."
    /// Not ESP384 and ML-DSA-87, in this order.
    Algorithm "E-ALGORITHM"
        en "The tag is signed with other algorithms than the format demands." "Tell the security staff."
        fr "L'étiquette est signée avec d'autres algorithmes que ceux exigés." "Prévenez l'équipe de sécurité."
    /// A certificate that cannot be read, or of the wrong kind of key.
    Certificate "E-CERTIFICATE"
        en "A certificate of the station cannot be read." "Tell the administrator of the station."
        fr "Un certificat de la station est illisible." "Prévenez l'administrateur de la station."
    /// Station and site are not the same in both certificates and the claims.
    Name "E-NAME"
        en "The tag names another station than its certificates." "Tell the security staff."
        fr "L'étiquette nomme une autre station que ses certificats." "Prévenez l'équipe de sécurité."
    /// A certificate for another purpose.
    KeyUsage "E-KEY-USAGE"
        en "The certificate does not allow signing tags." "Tell the administrator of the station."
        fr "Le certificat ne permet pas de signer des étiquettes." "Prévenez l'administrateur de la station."
    /// A certificate, or an anchor, has expired or is not yet valid.
    CertificateTime "E-CERTIFICATE-TIME"
        en "A certificate has expired or is not yet valid." "Check the clock; tell the administrator."
        fr "Un certificat est expiré ou pas encore valable." "Vérifiez l'horloge ; prévenez l'administrateur."
    /// No path to both anchors of one authority.
    Chain "E-CHAIN"
        en "The station is not certified by an authority that this workstation trusts." "Have the medium checked at a station of your organisation."
        fr "La station n'est pas certifiée par une autorité reconnue par ce poste." "Faites contrôler le support à une station de votre organisme."
    /// Outside the name constraints of its chain.
    Site "E-SITE"
        en "The station's certificate is outside the sites of its issuer." "Tell the security staff."
        fr "Le certificat de la station sort des sites de son émetteur." "Prévenez l'équipe de sécurité."
    /// No usable CRL of an issuer in a chain.
    CrlMissing "E-CRL-MISSING"
        en "This workstation has no list of revoked stations for this tag's issuer." "Tell the administrator of the workstation."
        fr "Ce poste n'a pas la liste des stations révoquées pour cet émetteur." "Prévenez l'administrateur du poste."
    /// A lower CRL number than the last seen.
    CrlOld "E-CRL-OLD"
        en "The list of revoked stations is older than one seen before." "Tell the security staff."
        fr "La liste des stations révoquées est plus ancienne que la dernière connue." "Prévenez l'équipe de sécurité."
    /// A CRL older than the policy allows.
    CrlStale "E-CRL-STALE"
        en "The list of revoked stations is too old." "Tell the administrator of the workstation."
        fr "La liste des stations révoquées est trop ancienne." "Prévenez l'administrateur du poste."
    /// A certificate of a chain is revoked.
    RevokedStation "E-REVOKED-STATION"
        en "The station that wrote this tag has been revoked." "Have the medium checked at another station."
        fr "La station qui a écrit cette étiquette a été révoquée." "Faites contrôler le support à une autre station."
    /// A signature does not verify.
    Signature "E-SIGNATURE"
        en "The tag was altered: a signature is wrong." "Tell the security staff."
        fr "L'étiquette a été altérée : une signature est fausse." "Prévenez l'équipe de sécurité."
    /// Claims of another shape than section 6, or that contradict themselves.
    Claims "E-CLAIMS"
        en "The tag's claims contradict the format." "Tell the administrator of the station."
        fr "Les déclarations de l'étiquette contredisent le format." "Prévenez l'administrateur de la station."
    /// A site that the policy does not admit.
    SitePolicy "E-SITE-POLICY"
        en "Tags of this site are not accepted here." "Have the medium checked at a station of this site."
        fr "Les étiquettes de ce site ne sont pas acceptées ici." "Faites contrôler le support à une station de ce site."
    /// A signed verdict other than clean.
    Verdict "E-VERDICT"
        en "The station did not find this medium clean." "Do not use it; tell the security staff."
        fr "La station n'a pas jugé ce support sain." "Ne l'utilisez pas ; prévenez l'équipe de sécurité."
    /// An exception, and the policy accepts none.
    Exception "E-EXCEPTION"
        en "Part of this medium was excepted from the check, which is not accepted here." "Ask the security staff."
        fr "Une partie du support a été dispensée de contrôle, ce qui n'est pas accepté ici." "Adressez-vous à l'équipe de sécurité."
    /// Issued more than 600 seconds after now.
    NotYetValid "E-NOT-YET-VALID"
        en "The tag is dated in the future." "Check the clocks of workstation and station."
        fr "L'étiquette est datée dans le futur." "Vérifiez l'heure du poste et de la station."
    /// Now is not before `expires`.
    Expired "E-EXPIRED"
        en "The tag has expired." "Have the medium checked again."
        fr "L'étiquette est expirée." "Faites contrôler à nouveau le support."
    /// Issued longer ago than the policy allows.
    TooOld "E-TOO-OLD"
        en "The check is too long ago for this workstation." "Have the medium checked again."
        fr "Le contrôle est trop ancien pour ce poste." "Faites contrôler à nouveau le support."
    /// A revocation list does not verify.
    List "E-LIST"
        en "A list of revoked tags is not valid." "Tell the administrator of the workstation."
        fr "Une liste d'étiquettes révoquées n'est pas valable." "Prévenez l'administrateur du poste."
    /// A lower number than the last list seen.
    ListOld "E-LIST-OLD"
        en "The list of revoked tags is older than one seen before." "Tell the security staff."
        fr "La liste des étiquettes révoquées est plus ancienne que la dernière connue." "Prévenez l'équipe de sécurité."
    /// The policy needs a revocation list and there is none.
    ListMissing "E-LIST-MISSING"
        en "This workstation has no list of revoked tags." "Tell the administrator of the workstation."
        fr "Ce poste n'a pas la liste des étiquettes révoquées." "Prévenez l'administrateur du poste."
    /// The newest list is older than the policy allows.
    ListStale "E-LIST-STALE"
        en "The list of revoked tags is too old." "Tell the administrator of the workstation."
        fr "La liste des étiquettes révoquées est trop ancienne." "Prévenez l'administrateur du poste."
    /// A revocation list names the tag.
    RevokedTag "E-REVOKED-TAG"
        en "This tag has been revoked." "Have the medium checked again."
        fr "Cette étiquette a été révoquée." "Faites contrôler à nouveau le support."
    /// A newer tag of the same station was seen for this medium.
    Replayed "E-REPLAYED"
        en "A newer tag was already seen for this medium." "Have the medium checked again."
        fr "Une étiquette plus récente a déjà été vue pour ce support." "Faites contrôler à nouveau le support."
    /// Fewer engines than the policy needs, or another one.
    Engines "E-ENGINES"
        en "The medium was checked with fewer engines than this workstation demands." "Have it checked at another station."
        fr "Le support a été contrôlé avec moins de moteurs que ce poste n'en exige." "Faites-le contrôler à une autre station."
    /// A base that the policy names was missing, or too old when the tag was issued, or one is from the future.
    BaseAge "E-BASE-AGE"
        en "The medium was checked without signature bases that are recent enough." "Have the medium checked again."
        fr "Le support a été contrôlé sans bases de signatures assez récentes." "Faites contrôler à nouveau le support."
    /// The manifest is not the signed one, or breaks a rule of section 7.
    Manifest "E-MANIFEST"
        en "The list of files in the tag was altered or is damaged." "Have the medium checked again."
        fr "La liste des fichiers de l'étiquette est altérée ou endommagée." "Faites contrôler à nouveau le support."
    /// A revocation list names a content of this medium.
    RevokedContent "E-REVOKED-CONTENT"
        en "A file of this medium has since been found dangerous." "Do not use it; tell the security staff."
        fr "Un fichier de ce support s'est révélé dangereux depuis." "Ne l'utilisez pas ; prévenez l'équipe de sécurité."
    /// Another capacity, block size or USB identity.
    Medium "E-MEDIUM"
        en "This tag belongs to another medium." "Have this medium checked."
        fr "Cette étiquette appartient à un autre support." "Faites contrôler ce support."
    /// Something that the policy wants compared cannot be seen here.
    NotAvailable "E-NOT-AVAILABLE"
        en "Part of the medium's identity cannot be seen here." "Verify the whole device instead of a folder."
        fr "Une partie de l'identité du support n'est pas visible ici." "Vérifiez le périphérique entier plutôt qu'un dossier."
    /// A boot area or partition table differs.
    Boot "E-BOOT"
        en "The partitions or the boot area of this medium were changed." "Have the medium checked again."
        fr "Les partitions ou la zone d'amorçage de ce support ont été modifiées." "Faites contrôler à nouveau le support."
    /// Something is there that the manifest does not list.
    Added "E-ADDED"
        en "Something was added since the check." "Have the medium checked again."
        fr "Quelque chose a été ajouté depuis le contrôle." "Faites contrôler à nouveau le support."
    /// Something that the manifest lists is missing.
    Removed "E-REMOVED"
        en "Something was removed or renamed since the check." "Have the medium checked again."
        fr "Quelque chose a été supprimé ou renommé depuis le contrôle." "Faites contrôler à nouveau le support."
    /// A kind, size or content differs.
    Changed "E-CHANGED"
        en "A file was changed since the check." "Have the medium checked again."
        fr "Un fichier a été modifié depuis le contrôle." "Faites contrôler à nouveau le support."
    /// A content or folder cannot be read to its end.
    Unreadable "E-UNREADABLE"
        en "A file of this medium cannot be read." "Copy from the original to another medium and have it checked."
        fr "Un fichier de ce support est illisible." "Recopiez depuis l'original sur un autre support et faites-le contrôler."
}

/// A refusal: the code, the step of docs/tag-format.md (section 15) that failed, and what exactly was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: step {step}: {} ({detail})", code.as_str(), code.english().what)]
pub struct Refusal {
    /// What to show and to compare.
    pub code: Code,
    /// The step that failed.
    pub step: u8,
    /// What was found where, in English, for logs. May hold names from the medium: escape it before showing.
    pub detail: String,
}

impl Refusal {
    pub(crate) fn new(code: Code, step: u8, detail: impl Into<String>) -> Self {
        Self { code, step, detail: detail.into() }
    }
}
