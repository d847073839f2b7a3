//! What can be asked on the command line.

use blanche_tag::Level;
use clap::{Args, ValueEnum};
use serde::Deserialize;
use std::path::PathBuf;

/// How deep to verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum LevelName {
    /// Which medium, and its boot areas: milliseconds; of a folder refused, which shows neither
    Identity,
    /// And every path, kind and size: one walk
    Inventory,
    /// And every byte: as long as reading the medium takes
    Full,
}

impl From<LevelName> for Level {
    fn from(name: LevelName) -> Self {
        match name {
            LevelName::Identity => Self::Identity,
            LevelName::Inventory => Self::Inventory,
            LevelName::Full => Self::Full,
        }
    }
}

/// Whom to believe and what to demand.
#[derive(Args, Clone, Debug, Default)]
pub struct Demands {
    /// Folder with authorities, CRLs and revocation lists [default: /etc/blanche/trust, %ProgramData%\Blanche\trust]
    #[arg(long, value_name = "DIR")]
    pub trust: Option<PathBuf>,
    /// What is demanded of a tag [default: policy.toml of the trust folder, else docs/verify.md]
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// What earlier verifications learned [default: /var/lib/blanche/verify/memory.json, %ProgramData%\Blanche\verify\…]
    #[arg(long, value_name = "FILE")]
    pub memory: Option<PathBuf>,
    /// Remember nothing, and know nothing from before
    #[arg(long, conflicts_with = "memory")]
    pub no_memory: bool,
    /// Verify as of this time, in seconds since 1970; nothing is remembered then
    #[arg(long, value_name = "SECONDS")]
    pub at: Option<u64>,
    /// Logical block size of the device that an image was taken from [default: 512]
    #[arg(long, value_name = "BYTES", value_parser = block_size)]
    pub block_size: Option<u32>,
}

/// Arguments of `blanche verify` and `blanche-verify`.
#[derive(Args, Clone, Debug)]
pub struct VerifyArguments {
    /// Block device, image file or mounted folder
    #[arg(value_name = "TARGET")]
    pub target: PathBuf,
    /// How deep to verify; never less than the policy demands [default: as the policy says, else full]
    #[arg(long, value_enum)]
    pub level: Option<LevelName>,
    /// The tag, if it does not stand on the medium; of several, the first that is accepted counts
    #[arg(long, value_name = "FILE")]
    pub tag: Vec<PathBuf>,
    /// Whom to believe and what to demand.
    #[command(flatten)]
    pub demands: Demands,
    /// Print one JSON document and nothing else
    #[arg(long)]
    pub json: bool,
    /// Show no progress
    #[arg(long)]
    pub quiet: bool,
}

/// Arguments of `blanche tag show`.
#[derive(Args, Clone, Debug)]
pub struct ShowArguments {
    /// A tag file, or a block device, image file or mounted folder that has one
    #[arg(value_name = "FILE|TARGET")]
    pub target: PathBuf,
    /// Whom to believe and what to demand.
    #[command(flatten)]
    pub demands: Demands,
    /// Print one JSON document and nothing else
    #[arg(long)]
    pub json: bool,
}

fn block_size(text: &str) -> Result<u32, String> {
    match text {
        "512" => Ok(512),
        "1024" => Ok(1024),
        "2048" => Ok(2048),
        "4096" => Ok(4096),
        _ => Err("write 512, 1024, 2048 or 4096".to_owned()),
    }
}
