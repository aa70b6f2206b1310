//! Open files and connections are of one kind, and a process may have so many. What strangers may take of them ends before what the
//! process needs for itself: stores, brokers, its own files, and the probes that say that it lives.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::kit::process::metric::Metric;

/// For everything but connections from outside; half of all where that is less.
const RESERVED: usize = 512;

/// Takes as many as the system allows, which is more than it gives unasked; says how many connections from outside there may be.
pub fn raise() -> usize {
    let given = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: given.maximum, ..given }) {
        tracing::warn!(%error, "the limit of open files stays as it was");
    }
    let most =
        getrlimit(Resource::Nofile).current.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
    let connections_max = for_connections(most);
    metrics::gauge!(Metric::DescriptorsMax.name()).set(most as f64);
    tracing::info!(descriptors.given = ?given.current, descriptors.max = most, connections.max = connections_max, "open files");
    connections_max
}

fn for_connections(descriptors: usize) -> usize {
    descriptors - RESERVED.min(descriptors / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_are_kept_for_ourselves() {
        for (descriptors, connections) in [(20, 10), (1_024, 512), (4_096, 3_584), (1_048_576, 1_048_064)] {
            assert_eq!(for_connections(descriptors), connections);
        }
    }

    /// As many as the system allows, whatever the test was started with.
    #[test]
    fn as_many_are_taken_as_there_may_be() {
        let connections_max = raise();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
        let most = limit.current.map_or(usize::MAX, |most| usize::try_from(most).unwrap());
        assert_eq!(connections_max, for_connections(most));
    }
}
