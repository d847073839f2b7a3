//! Choosing free clusters.

/// Clusters that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) first: u32,
    pub(crate) count: u32,
}

impl Run {
    /// Its clusters.
    pub(crate) fn clusters(self) -> impl Iterator<Item = u32> {
        self.first..self.first.saturating_add(self.count)
    }

    /// Adds a cluster to a list of runs.
    pub(crate) fn push(runs: &mut Vec<Self>, cluster: u32) {
        match runs.last_mut() {
            Some(run) if run.first.checked_add(run.count) == Some(cluster) => run.count = run.count.saturating_add(1),
            _ => runs.push(Self { first: cluster, count: 1 }),
        }
    }

    /// Clusters of all of them.
    pub(crate) fn total(runs: &[Self]) -> u64 {
        runs.iter().map(|run| u64::from(run.count)).fold(0, u64::saturating_add)
    }
}

/// Takes the free clusters of a volume in order and keeps what is needed: the first run that is long enough, else the
/// first clusters that are free. Memory grows with what is needed, not with the volume.
#[derive(Debug)]
pub(crate) struct Picker {
    needed: u64,
    free: u64,
    current: Option<Run>,
    fitting: Option<Run>,
    scattered: Vec<Run>,
    kept: u64,
}

impl Picker {
    /// For this many clusters.
    pub(crate) fn new(needed: u64) -> Self {
        Self { needed, free: 0, current: None, fitting: None, scattered: Vec::new(), kept: 0 }
    }

    /// One more free cluster.
    pub(crate) fn take(&mut self, cluster: u32) {
        self.free = self.free.saturating_add(1);
        if self.kept < self.needed {
            Run::push(&mut self.scattered, cluster);
            self.kept = self.kept.saturating_add(1);
        }
        let run = match self.current {
            Some(run) if run.first.checked_add(run.count) == Some(cluster) => {
                Run { count: run.count.saturating_add(1), ..run }
            }
            _ => Run { first: cluster, count: 1 },
        };
        self.current = Some(run);
        if self.fitting.is_none() && u64::from(run.count) >= self.needed {
            self.fitting = Some(run);
        }
    }

    /// How many clusters are free, and those that were picked: fewer than needed when there are not enough.
    pub(crate) fn finish(self) -> Space {
        let runs = self.fitting.map_or(self.scattered, |run| vec![run]);
        Space { free: self.free, runs }
    }
}

/// Free clusters of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Space {
    /// All of them.
    pub(crate) free: u64,
    /// The picked ones.
    pub(crate) runs: Vec<Run>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pick(needed: u64, clusters: &[u32]) -> Space {
        let mut picker = Picker::new(needed);
        clusters.iter().for_each(|cluster| picker.take(*cluster));
        picker.finish()
    }

    #[test]
    fn neighbours_are_preferred() {
        let free = [2, 3, 5, 8, 9, 10, 20];
        assert_eq!(pick(3, &free).runs, [Run { first: 8, count: 3 }]);
        assert_eq!(pick(2, &free).runs, [Run { first: 2, count: 2 }]);
        let runs = [Run { first: 2, count: 2 }, Run { first: 5, count: 1 }, Run { first: 8, count: 1 }];
        assert_eq!(pick(4, &free), Space { free: 7, runs: runs.into() });
        assert_eq!(Run::total(&pick(9, &free).runs), 7);
    }
}
