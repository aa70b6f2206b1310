//! RabbitMQ: carries attempts, alarms, notices and events, and keeps messages that cannot be read.
//!
//! Nothing here recovers by itself inside the client library: a connection, a channel or a consumer that failed is thrown
//! away and made anew. Its callers get a fault, and what was not acknowledged comes again. Attempts are never
//! nacked, rejected or cancelled, for each of these would lose their order: a channel is closed instead, and the broker
//! gives everything back in its place.

mod attempts;
mod broadcast;
pub mod codec;
mod consume;
mod deadlines;
mod events;
mod feed;
mod gaps;
mod lag;
mod link;
mod metric;
mod parked;
mod publish;
mod topology;
mod untold;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::{CancellationToken, DropGuard};

use crate::adapters::tls::Endpoint;
use crate::ports::platform::tasks::AnyTasks;
use crate::ports::{Fault, Result, Source};
use broadcast::Teller;
use deadlines::Classes;
use feed::Numbers;
use link::Link;
use publish::{LANES, Lanes};
use topology::Topology;

pub use broadcast::RabbitNotices;
pub use consume::{RabbitDelivery, RabbitSubscription};
pub use feed::{RabbitNews, RabbitRequests};
pub use metric::Metric;

/// The part that this is.
const PART: &str = "broker";
/// Anything asked of the broker is answered within this time, or the connection is not trusted any more.
const CALL: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub struct RabbitConfig {
    /// `amqp://user:password@host:port/vhost`, where the default vhost is written `%2f`; `amqps` asks for TLS.
    pub at: Endpoint,
    /// Begins the name of every queue and exchange.
    pub namespace: String,
    /// Queues that attempts are dealt to, by sale. All processes of a world must agree.
    pub partitions: u16,
    /// Batches in one of these queues, at most. All processes of a world must agree.
    pub queue_messages_max: u64,
    /// A message that is not confirmed after this time was perhaps not taken.
    pub confirm_ms: u64,
}

/// Two connections, which are made anew for ever: one publishes, one consumes. A broker that is short of memory stops reading
/// from publishers, and acknowledgements must get through then.
#[derive(Clone)]
pub struct RabbitBroker(Arc<Shared>);

struct Shared {
    topology: Arc<Topology>,
    consuming: Link,
    lanes: Arc<Lanes>,
    /// A lane for alarms alone: a queue of theirs that does not answer holds up nothing else.
    clocks: Lanes,
    classes: Classes,
    teller: Arc<Teller>,
    feed: Numbers,
    tasks: AnyTasks,
    /// Ends what runs in the background.
    _end: DropGuard,
}

/// What runs as long as the broker is held.
struct Background {
    tasks: AnyTasks,
    end: CancellationToken,
}

impl Background {
    fn run(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let end = self.end.clone();
        self.tasks.attend(name, Box::pin(async move { end.run_until_cancelled(task).await.unwrap_or_default() }));
    }
}

impl RabbitBroker {
    /// Whether we could try to connect: what can be wrong with the URL alone.
    pub fn check(at: &Endpoint) -> Result<()> {
        link::uri(at).map(drop)
    }

    /// Connects, makes what is missing, and checks what the broker must be able to do. A fault here means that nothing was
    /// begun; later failures are lived through.
    pub async fn connect(config: RabbitConfig, tasks: AnyTasks) -> Result<Self> {
        Metric::describe();
        let topology = Arc::new(Topology::new(&config)?);
        let end = CancellationToken::new();
        let guard = end.clone().drop_guard();
        let background = Background { tasks: tasks.clone(), end };
        let publishing = Link::open(&config.at, "publishing", topology.clone(), &background).await?;
        topology.check(&publishing.channel().await?).await?;
        let consuming = Link::open(&config.at, "consuming", topology.clone(), &background).await?;
        let confirm = Duration::from_millis(config.confirm_ms);
        let clocks = Lanes::open(publishing.clone(), 1, confirm, &background);
        let lanes = Arc::new(Lanes::open(publishing, LANES, confirm, &background));
        let teller = Teller::open(lanes.clone(), topology.clone(), &background);
        let (classes, feed) = (Classes::default(), Numbers::new());
        let shared = Shared { topology, consuming, lanes, clocks, classes, teller, feed, tasks, _end: guard };
        let broker = Self(Arc::new(shared));
        broker.declare_classes().await;
        Ok(broker)
    }
}

fn fault(what: impl Into<Source>) -> Fault {
    Fault::new(PART, what)
}
