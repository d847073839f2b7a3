//! What the signer signs, as one pure function of the claims, its identity, its clock and its counter.

use super::settings::SigningPolicy;
use crate::certificate::StationName;
use crate::protocol::Refusal;
use blanche_tag::CLOCK_TOLERANCE;
use blanche_tag::checkpoint::Checkpoint;
use blanche_tag::claims::{BaseDoubt, Claims, Time, Verdict};
use blanche_tag::envelope::SignedClaims;

/// Everything that the decision depends on, beside the claims.
#[derive(Clone, Debug)]
pub(crate) struct Situation<'a> {
    pub(crate) name: &'a StationName,
    pub(crate) policy: &'a SigningPolicy,
    /// Most bytes of claims that leave room for signatures and chains.
    pub(crate) largest: usize,
    /// First and last second of all certificates of the chains.
    pub(crate) certificates: (Time, Time),
    pub(crate) now: Time,
    pub(crate) highest: u64,
}

/// How far a counter may jump. Without a bound one bad request could use up all numbers, and the station's name with them.
const FARTHEST: u64 = 1 << 20;

/// A refusal with the values that decided.
pub(crate) type Refused = (Refusal, String);

/// Decodes the claims and decides. The first rule that fails names the refusal.
pub(crate) fn judge(bytes: &[u8], situation: &Situation<'_>) -> Result<Claims, Refused> {
    let claims: Claims = decoded(bytes, situation)?;
    if claims.verdict != Verdict::Clean {
        return Err((Refusal::Verdict, format!("{:?}", claims.verdict)));
    }
    if !claims.exceptions.is_empty() {
        return Err((Refusal::Exception, format!("{} exceptions", claims.exceptions.len())));
    }
    bases(&claims, situation.policy)?;
    times(&claims, situation)?;
    counter(claims.counter, situation)?;
    Ok(claims)
}

/// The same for a checkpoint of the journal. The signer cannot know what was recorded; it vouches for who, when, and in which
/// order with everything else that it signs.
pub(crate) fn judge_checkpoint(bytes: &[u8], situation: &Situation<'_>) -> Result<Checkpoint, Refused> {
    let claims: Checkpoint = decoded(bytes, situation)?;
    clock(claims.issued, situation)?;
    certificates(situation)?;
    counter(claims.counter, situation)?;
    Ok(claims)
}

/// Claims of this station in their one encoding.
fn decoded<T: SignedClaims>(bytes: &[u8], situation: &Situation<'_>) -> Result<T, Refused> {
    if bytes.len() > situation.largest {
        return Err((Refusal::TooLarge, format!("{} bytes, at most {}", bytes.len(), situation.largest)));
    }
    let claims = T::decode(bytes).map_err(|error| (Refusal::Malformed, error.to_string()))?;
    // The decoder is strict, so there is one encoding; what is signed is what was checked even if it were not.
    if claims.encode() != bytes {
        return Err((Refusal::Malformed, "another encoding than the deterministic one".to_owned()));
    }
    if *claims.station() != situation.name.station || *claims.site() != situation.name.site {
        return Err((Refusal::Foreign, format!("{}.{}", claims.station(), claims.site())));
    }
    Ok(claims)
}

fn counter(counter: u64, situation: &Situation<'_>) -> Result<(), Refused> {
    let highest = situation.highest;
    if counter <= highest || counter.saturating_sub(highest) > FARTHEST {
        return Err((Refusal::Counter, format!("{counter}, {highest} was the highest")));
    }
    Ok(())
}

/// The bases, as a workstation will judge them (docs/tag-format.md, step 15).
fn bases(claims: &Claims, policy: &SigningPolicy) -> Result<(), Refused> {
    claims.how.check_bases(&policy.fresh_bases, policy.max_base_age, claims.issued).map_err(|doubt| {
        let refusal = match doubt {
            BaseDoubt::Missing(_) => Refusal::BaseMissing,
            BaseDoubt::TooOld { .. } => Refusal::BaseTooOld,
            BaseDoubt::InFuture { .. } => Refusal::BaseInFuture,
        };
        (refusal, doubt.to_string())
    })
}

fn times(claims: &Claims, situation: &Situation<'_>) -> Result<(), Refused> {
    clock(claims.issued, situation)?;
    let validity = claims.expires.saturating_sub(claims.issued);
    if validity > situation.policy.max_validity {
        return Err((Refusal::Validity, format!("{validity} s, at most {}", situation.policy.max_validity)));
    }
    certificates(situation)
}

/// It is issued now, by the signer's own clock.
fn clock(issued: Time, situation: &Situation<'_>) -> Result<(), Refused> {
    let now = situation.now;
    if issued.abs_diff(now) > CLOCK_TOLERANCE {
        return Err((Refusal::Clock, format!("issued {issued}, now {now}")));
    }
    Ok(())
}

fn certificates(situation: &Situation<'_>) -> Result<(), Refused> {
    let (now, (from, to)) = (situation.now, situation.certificates);
    if !(from..=to).contains(&now) {
        return Err((Refusal::Certificate, format!("valid {from} to {to}, now {now}")));
    }
    Ok(())
}
