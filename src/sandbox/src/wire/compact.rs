//! [`Cause`] and [`WriteObstacle`] between processes: postcard has no field names, so it cannot decode the form with a
//! name and `detail` that people and JSON get. Here is the plain form; each serializer is given the one that it can read back.

use super::cause::{Cause, Container, Corruption, EngineLimit, Feature, FilesystemKind, ReadLimit};
use super::sealer::WriteObstacle;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The variants of [`Cause`] once more. The compiler refuses a list that is not the same.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Cause")]
enum Plain {
    Unreadable,
    MediumRemoved,
    Corrupt(Corruption),
    FilesystemUnsupported(FilesystemKind),
    FeatureUnsupported(Feature),
    UnknownContent,
    AmbiguousNames,
    ReadLimit(ReadLimit),
    NotRegularFile,
    PermissionDenied,
    OtherFilesystem,
    ChangedWhileRead,
    ContainerUnsupported(Container),
    ContainerBroken(Container),
    Encrypted(Container),
    EngineLimit(EngineLimit),
    EngineTimeout,
    EngineFailed(String),
    MatcherCrashed,
    MatcherHung,
    MatcherMemory,
    EnginesLost,
    DigestsDiffer,
    ContentRefused,
    ReaderLost,
    NeverRead,
    Cancelled,
    SpoolFull,
}

/// The variants of [`WriteObstacle`] once more.
#[derive(Serialize, Deserialize)]
#[serde(remote = "WriteObstacle")]
enum PlainObstacle {
    WriteProtected,
    InUse,
    NoVolume,
    Changed,
    Damaged,
    Unreadable,
    Removed,
    Dirty,
    Unsupported,
    NoSpace { needed: u64, free: u64 },
    RootFull,
    NameTaken,
    TooLong,
    SealerLost,
}

/// The form with names for people, and the plain one between processes.
macro_rules! two_forms {
    ($type:ident, $plain:ident) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                if to.is_human_readable() { Self::serialize(self, to) } else { $plain::serialize(self, to) }
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                if from.is_human_readable() { Self::deserialize(from) } else { $plain::deserialize(from) }
            }
        }
    };
}

two_forms!(Cause, Plain);
two_forms!(WriteObstacle, PlainObstacle);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn every_shape_of_obstacle_crosses_a_channel() {
        for obstacle in [WriteObstacle::WriteProtected, WriteObstacle::NoSpace { needed: 7, free: 300 }] {
            let bytes = postcard::to_stdvec(&obstacle).unwrap();
            assert_eq!(postcard::from_bytes::<WriteObstacle>(&bytes).unwrap(), obstacle);
        }
    }

    #[test]
    fn every_shape_of_cause_crosses_a_channel() {
        for cause in [
            Cause::EngineTimeout,
            Cause::ContainerBroken(Container::Nsis),
            Cause::EngineLimit(EngineLimit::Files),
            Cause::EngineFailed("no memory".into()),
        ] {
            let bytes = postcard::to_stdvec(&cause).expect("encoded");
            assert_eq!(postcard::from_bytes::<Cause>(&bytes).expect("decoded"), cause);
        }
    }
}
