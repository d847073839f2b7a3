//! seccomp: which system calls a confined process may make (seccomp(2)). The list is in [`super::calls`].

use super::calls::{GROUPS, Holder, Test};
use super::{ConfineError, Profile};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter_all_threads,
};
use std::collections::BTreeMap;
use std::fmt::Display;

/// Filters that [`install`] adds: the parent counts them.
pub(crate) const FILTERS: u32 = 2;

/// Installs the profile's filters and returns how many different calls it lets through.
pub(super) fn install(profile: Profile<'_>) -> Result<u16, ConfineError> {
    let refused = |error: &dyn Display| ConfineError::Seccomp(error.to_string());
    let rules = rules(holder(profile)).map_err(|error| refused(&error))?;
    let allowed = u16::try_from(rules.len()).unwrap_or(u16::MAX);
    let killing = program(rules, SeccompAction::KillProcess, SeccompAction::Allow).map_err(|error| refused(&error))?;
    // Of two filters the stricter answer counts: what the other one allows, this one may still refuse with an error.
    let without_clone3 = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let refusal = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    let refusing = program(without_clone3, SeccompAction::Allow, refusal).map_err(|error| refused(&error))?;
    apply_filter_all_threads(&refusing).map_err(|error| refused(&error))?;
    apply_filter_all_threads(&killing).map_err(|error| refused(&error))?;
    Ok(allowed)
}

fn holder(profile: Profile<'_>) -> Holder {
    match profile {
        Profile::MediumReader => Holder::Medium,
        Profile::FolderReader => Holder::Folder,
        Profile::Matcher { .. } => Holder::Matcher,
        Profile::Sealer => Holder::Sealer,
        Profile::Signer { token: None, .. } => Holder::Signer,
        Profile::Signer { token: Some(_), .. } => Holder::TokenSigner,
        Profile::Verifier { .. } => Holder::Verifier,
    }
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Compiles for this machine; calls by any other convention (`seccomp_data.arch`) kill the process.
fn program(rules: Rules, otherwise: SeccompAction, on_match: SeccompAction) -> Result<BpfProgram, BackendError> {
    let machine = TargetArch::try_from(std::env::consts::ARCH)?;
    SeccompFilter::new(rules, otherwise, on_match, machine)?.try_into()
}

/// The rules of one kind of process. An empty list allows the call whatever its arguments.
fn rules(holder: Holder) -> Result<Rules, BackendError> {
    let mut rules = Rules::new();
    for group in GROUPS.iter().filter(|group| group.holders.contains(&holder)) {
        for (number, tests) in group.calls {
            let alternatives = rules.entry(*number).or_default();
            if !tests.is_empty() {
                let conditions = tests.iter().map(|test| condition(*test)).collect::<Result<_, _>>()?;
                alternatives.push(SeccompRule::new(conditions)?);
            }
        }
    }
    Ok(rules)
}

fn condition(test: Test) -> Result<SeccompCondition, BackendError> {
    use SeccompCmpArgLen::{Dword, Qword};
    use SeccompCmpOp::{Eq, MaskedEq, Ne};
    let bits = i64::cast_unsigned;
    let (index, width, operator, value) = match test {
        Test::Is(index, value) => (index, Dword, Eq, bits(value)),
        Test::IsNot(index, value) => (index, Dword, Ne, bits(value)),
        Test::Without(index, mask) => (index, Dword, MaskedEq(bits(mask)), 0),
        Test::With(index, mask) => (index, Dword, MaskedEq(bits(mask)), bits(mask)),
        Test::Null(index) => (index, Qword, Eq, 0),
        Test::Own(index) => (index, Dword, Eq, u64::from(std::process::id())),
    };
    SeccompCondition::new(index, width, operator, value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails says where")]
    use super::*;

    const HOLDERS: [Holder; 7] = [
        Holder::Medium,
        Holder::Folder,
        Holder::Matcher,
        Holder::Sealer,
        Holder::Signer,
        Holder::TokenSigner,
        Holder::Verifier,
    ];

    /// A call listed once without and once with tests would be allowed with the tests only, or always, by accident.
    #[test]
    fn no_call_is_listed_both_with_and_without_tests() {
        for holder in HOLDERS {
            let mut seen = BTreeMap::<i64, bool>::new();
            for (number, tests) in
                GROUPS.iter().filter(|group| group.holders.contains(&holder)).flat_map(|group| group.calls)
            {
                let tested = !tests.is_empty();
                if let Some(before) = seen.insert(*number, tested) {
                    assert!(before && tested, "call {number} of {holder:?} is listed twice");
                }
            }
        }
    }

    #[test]
    fn every_group_has_a_reason() {
        assert!(GROUPS.iter().all(|group| group.reason.len() > 10 && !group.calls.is_empty()));
    }

    #[test]
    fn every_profile_compiles() {
        for holder in HOLDERS {
            let rules = rules(holder).unwrap();
            assert!(program(rules, SeccompAction::KillProcess, SeccompAction::Allow).unwrap().len() > 40);
        }
    }
}
