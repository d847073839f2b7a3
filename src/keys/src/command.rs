//! `blanche keys …`: the ceremony as an administrator types it. docs/keys.md is the way through it.

mod show;

use crate::KeysError;
use crate::ceremony::{self, Issue, NewAuthority, NewStation, Revocation};
use crate::certificate::StationName;
use crate::secret::{self, Secret, Secrets};
use crate::signer::{PassphrasePlace, Settings, SigningPolicy};
use crate::token::TokenPlace;
use blanche_tag::revocation::ALL_SITES;
use clap::{Args, Subcommand};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What can be asked of the ceremony.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make an authority: two CA keys and certificates, in a folder on an offline machine
    Authority(AuthorityArguments),
    /// At a station: make its two keys, its two requests and its signer.toml
    Request(RequestArguments),
    /// At the authority: check two requests and issue their certificates: two for tags, two for checkpoints
    Issue(IssueArguments),
    /// At a station: make new keys; called again once their certificates are there, put them in use
    Rotate(RotateArguments),
    /// At the authority: revoke certificates, tags or contents, and renew CRLs and lists
    Revoke(RevokeArguments),
    /// At the authority: show what was issued, until when, and what is revoked
    List(ListArguments),
}

/// Where the passphrase comes from.
#[derive(Args, Debug)]
pub struct PassphraseArguments {
    /// File with the passphrase on its first line (and the PIN of a token on the second), mode 0600 [default: ask]
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// Arguments of `blanche keys authority`.
#[derive(Args, Debug)]
pub struct AuthorityArguments {
    /// Its folder; must not exist, or be empty
    #[arg(long, value_name = "DIR")]
    pub folder: PathBuf,
    /// Its name: 1 to 63 of a-z, 0-9 and -
    #[arg(long)]
    pub name: String,
    /// The only sites that it may certify; repeat for several [default: all]
    #[arg(long = "site", value_name = "SITE")]
    pub sites: Vec<String>,
    /// Folder of the authority above; without it, this one is a root
    #[arg(long, value_name = "DIR")]
    pub under: Option<PathBuf>,
    /// File with the passphrase of the authority above [default: ask]
    #[arg(long, value_name = "FILE", requires = "under")]
    pub under_passphrase_file: Option<PathBuf>,
    /// Days until its certificates end
    #[arg(long, default_value_t = 3650)]
    pub days: u64,
    /// Where the passphrase comes from.
    #[command(flatten)]
    pub passphrase: PassphraseArguments,
}

/// Where the classical key of a station is made.
#[derive(Args, Debug)]
pub struct TokenArguments {
    /// PKCS#11 module: the classical key is made in a token and never leaves it
    #[arg(long, value_name = "FILE", requires_all = ["token", "token_key"])]
    pub token_module: Option<PathBuf>,
    /// Label of the token
    #[arg(long, value_name = "LABEL", requires = "token_module")]
    pub token: Option<String>,
    /// Label of the new key in it
    #[arg(long, value_name = "LABEL", requires = "token_module")]
    pub token_key: Option<String>,
    /// Folder that the module must reach while it signs; repeat for several
    #[arg(long = "token-folder", value_name = "DIR", requires = "token_module")]
    pub token_folders: Vec<PathBuf>,
}

/// Arguments of `blanche keys request`.
#[derive(Args, Debug)]
pub struct RequestArguments {
    /// The station's key folder; must not exist, or be empty
    #[arg(long, value_name = "DIR", default_value = "/etc/blanche/keys")]
    pub folder: PathBuf,
    /// Name of the station: 1 to 63 of a-z, 0-9 and -
    #[arg(long)]
    pub station: String,
    /// Name of its site
    #[arg(long)]
    pub site: String,
    /// The signer will take its passphrase from this systemd credential [default: from --passphrase-file]
    #[arg(long, value_name = "NAME", required_unless_present = "passphrase_file")]
    pub passphrase_credential: Option<String>,
    /// Where the passphrase comes from.
    #[command(flatten)]
    pub passphrase: PassphraseArguments,
    /// Where the classical key is made.
    #[command(flatten)]
    pub token: TokenArguments,
}

/// Arguments of `blanche keys issue`.
#[derive(Args, Debug)]
pub struct IssueArguments {
    /// The authority's folder
    #[arg(long, value_name = "DIR")]
    pub authority: PathBuf,
    /// Name of the station that asks; the requests must say the same
    #[arg(long)]
    pub station: String,
    /// Name of its site
    #[arg(long)]
    pub site: String,
    /// Folder for the four certificate chains; must not exist, or be empty
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Days until the certificates end
    #[arg(long, default_value_t = 365)]
    pub days: u64,
    /// The station's classical.csr
    #[arg(value_name = "CLASSICAL")]
    pub classical: PathBuf,
    /// The station's post-quantum.csr
    #[arg(value_name = "POST-QUANTUM")]
    pub post_quantum: PathBuf,
    /// Where the passphrase comes from.
    #[command(flatten)]
    pub passphrase: PassphraseArguments,
}

/// Arguments of `blanche keys rotate`.
#[derive(Args, Debug)]
pub struct RotateArguments {
    /// The station's key folder
    #[arg(long, value_name = "DIR", default_value = "/etc/blanche/keys")]
    pub folder: PathBuf,
    /// Label of the new key, if the classical key is in a token
    #[arg(long, value_name = "LABEL")]
    pub token_key: Option<String>,
    /// Where the passphrase comes from.
    #[command(flatten)]
    pub passphrase: PassphraseArguments,
}

/// Arguments of `blanche keys revoke`.
#[derive(Args, Debug)]
pub struct RevokeArguments {
    /// The authority's folder
    #[arg(long, value_name = "DIR")]
    pub authority: PathBuf,
    /// Revoke all certificates of this station
    #[arg(long, requires = "site")]
    pub station: Option<String>,
    /// Site of that station
    #[arg(long, requires = "station")]
    pub site: Option<String>,
    /// Revoke the certificates with this serial number; repeat for several
    #[arg(long = "serial", value_name = "HEX")]
    pub serials: Vec<String>,
    /// Revoke the tag with this identifier; repeat for several
    #[arg(long = "tag", value_name = "UUID")]
    pub tags: Vec<String>,
    /// Revoke every tag that covers a content with this SHA-256; repeat for several
    #[arg(long = "content", value_name = "SHA-256")]
    pub contents: Vec<String>,
    /// Only make new CRLs and lists, before the old ones are too old
    #[arg(long)]
    pub renew: bool,
    /// Where the passphrase comes from.
    #[command(flatten)]
    pub passphrase: PassphraseArguments,
}

/// Arguments of `blanche keys list`.
#[derive(Args, Debug)]
pub struct ListArguments {
    /// The authority's folder
    #[arg(long, value_name = "DIR")]
    pub authority: PathBuf,
}

/// Words of the terminal, in one language.
struct Prompts {
    authority: &'static str,
    above: &'static str,
    station: &'static str,
    again: &'static str,
    pin: &'static str,
}

const ENGLISH: Prompts = Prompts {
    authority: "Passphrase of the authority",
    above: "Passphrase of the authority above",
    station: "Passphrase of the station's keys",
    again: "The same again",
    pin: "PIN of the token",
};
const FRENCH: Prompts = Prompts {
    authority: "Phrase secrète de l'autorité",
    above: "Phrase secrète de l'autorité supérieure",
    station: "Phrase secrète des clés de la station",
    again: "La même encore une fois",
    pin: "Code PIN du jeton",
};

/// Does one step of the ceremony and says on standard output what was made and what comes next.
///
/// # Errors
/// [`KeysError`]: its `sentence` is for the administrator, its `exit_code` for the shell.
pub fn run(command: &KeysCommand, lang_is_french: bool) -> Result<(), KeysError> {
    run_to(command, lang_is_french, &mut io::stdout().lock())
}

/// As [`run`], and says it to `out`.
///
/// # Errors
/// As [`run`].
pub fn run_to(command: &KeysCommand, lang_is_french: bool, out: &mut dyn Write) -> Result<(), KeysError> {
    let text = perform(command, lang_is_french)?;
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // A reader that went away changes nothing about what was done.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(KeysError::Write { path: PathBuf::from("standard output"), source: error })
        }
        _ => Ok(()),
    }
}

fn perform(command: &KeysCommand, french: bool) -> Result<String, KeysError> {
    let prompts = if french { &FRENCH } else { &ENGLISH };
    match command {
        KeysCommand::Authority(arguments) => authority(arguments, prompts, french),
        KeysCommand::Request(arguments) => request(arguments, prompts, french),
        KeysCommand::Issue(arguments) => issue(arguments, prompts, french),
        KeysCommand::Rotate(arguments) => rotate(arguments, prompts, french),
        KeysCommand::Revoke(arguments) => revoke(arguments, prompts, french),
        KeysCommand::List(arguments) => Ok(show::entries(&ceremony::list(&arguments.authority)?, french)),
    }
}

fn authority(arguments: &AuthorityArguments, prompts: &Prompts, french: bool) -> Result<String, KeysError> {
    let above = match &arguments.under {
        Some(folder) => {
            let secrets = secret::existing(arguments.under_passphrase_file.as_deref(), prompts.above)?;
            Some((folder.as_path(), secrets.passphrase))
        }
        None => None,
    };
    let secrets = secret::new(arguments.passphrase.passphrase_file.as_deref(), prompts.authority, prompts.again)?;
    let new = NewAuthority {
        folder: &arguments.folder,
        name: &arguments.name,
        sites: &arguments.sites,
        under: above.as_ref().map(|(folder, secret)| (*folder, secret)),
        days: arguments.days,
    };
    ceremony::make_authority(&new, &secrets.passphrase)?;
    Ok(show::authority(&arguments.folder, arguments.under.is_some(), french))
}

impl TokenArguments {
    fn place(&self) -> Option<TokenPlace> {
        Some(TokenPlace {
            module: self.token_module.clone()?,
            token: self.token.clone()?,
            key: self.token_key.clone()?,
            folders: self.token_folders.clone(),
        })
    }
}

/// The PIN, if there is a token.
fn pin(
    token: Option<&TokenPlace>,
    secrets: &mut Secrets,
    file: Option<&Path>,
    prompts: &Prompts,
) -> Result<Option<Secret>, KeysError> {
    token.map(|_| secret::pin(secrets, file.is_some(), prompts.pin)).transpose()
}

fn request(arguments: &RequestArguments, prompts: &Prompts, french: bool) -> Result<String, KeysError> {
    let file = arguments.passphrase.passphrase_file.as_deref();
    let passphrase = match (&arguments.passphrase_credential, file) {
        (Some(name), _) => PassphrasePlace::Credential(name.clone()),
        (None, Some(file)) => {
            let absolute = std::path::absolute(file);
            PassphrasePlace::File(absolute.map_err(|source| KeysError::Read { path: file.to_owned(), source })?)
        }
        (None, None) => return Err(KeysError::NoTerminal(io::ErrorKind::InvalidInput.into())),
    };
    let name = StationName::new(&arguments.station, &arguments.site)?;
    let token = arguments.token.place();
    let mut secrets = secret::new(file, prompts.station, prompts.again)?;
    let pin = pin(token.as_ref(), &mut secrets, file, prompts)?;
    let new = NewStation { folder: &arguments.folder, name, passphrase, token, policy: SigningPolicy::default() };
    let made = ceremony::request(&new, &secrets.passphrase, pin.as_ref())?;
    Ok(show::requests(&made, french))
}

fn issue(arguments: &IssueArguments, prompts: &Prompts, french: bool) -> Result<String, KeysError> {
    let what = Issue {
        authority: &arguments.authority,
        name: StationName::new(&arguments.station, &arguments.site)?,
        requests: [&arguments.classical, &arguments.post_quantum],
        out: &arguments.out,
        days: arguments.days,
    };
    let secrets = secret::existing(arguments.passphrase.passphrase_file.as_deref(), prompts.authority)?;
    let issued = ceremony::issue(&what, &secrets.passphrase)?;
    show::issued(&issued, &arguments.out, french)
}

fn rotate(arguments: &RotateArguments, prompts: &Prompts, french: bool) -> Result<String, KeysError> {
    let file = arguments.passphrase.passphrase_file.as_deref();
    let settings = Settings::read(&arguments.folder)?;
    let mut secrets = secret::existing(file, prompts.station)?;
    let pin = pin(settings.token.as_ref(), &mut secrets, file, prompts)?;
    let token_key = arguments.token_key.as_deref();
    let done = ceremony::rotate(&arguments.folder, token_key, &secrets.passphrase, pin.as_ref())?;
    Ok(show::rotation(&done, french))
}

fn revoke(arguments: &RevokeArguments, prompts: &Prompts, french: bool) -> Result<String, KeysError> {
    let station = match (&arguments.station, &arguments.site) {
        // The lists of a root carry the site that stands for all.
        (Some(station), Some(site)) if site == ALL_SITES => return Err(KeysError::Name(format!("{station}.{site}"))),
        (Some(station), Some(site)) => Some(StationName::new(station, site)?),
        _ => None,
    };
    let revocation = Revocation {
        station,
        serials: arguments.serials.clone(),
        tags: arguments.tags.iter().map(|text| identifier(text)).collect::<Result<_, _>>()?,
        contents: arguments.contents.iter().map(|text| identifier(text)).collect::<Result<_, _>>()?,
    };
    let nothing = revocation.station.is_none()
        && revocation.serials.is_empty()
        && revocation.tags.is_empty()
        && revocation.contents.is_empty();
    if nothing && !arguments.renew {
        return Err(KeysError::NothingAsked);
    }
    let secrets = secret::existing(arguments.passphrase.passphrase_file.as_deref(), prompts.authority)?;
    Ok(show::renewed(&ceremony::revoke(&arguments.authority, &revocation, &secrets.passphrase)?, french))
}

/// Bytes from hexadecimal digits; the hyphens of a UUID are allowed.
fn identifier<const LENGTH: usize>(text: &str) -> Result<[u8; LENGTH], KeysError> {
    let wrong = || KeysError::NotAnIdentifier(text.to_owned());
    let digits: String = text.chars().filter(|character| *character != '-').collect();
    if digits.len() != LENGTH.saturating_mul(2) || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let mut bytes = [0; LENGTH];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
    }
    Ok(bytes)
}
