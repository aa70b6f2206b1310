//! A process that serves sockets and nothing else. It has the public keys of access tokens: it hears who asks, and can say of nobody
//! who they are. No route, receipt or payment is here.

use std::sync::Arc;

use crate::faces::front::{self, Front, Settings};
use crate::faces::live::{self, Live};
use crate::faces::tokens::Keys;
use crate::faces::tokens::access::AccessKeys;
use crate::kit::work::lifecycle::Lifecycle;
use crate::wire::world::World;

#[derive(Clone)]
pub struct Needs {
    front: front::Needs,
    live: live::Needs,
}

impl From<&World> for Needs {
    fn from(world: &World) -> Self {
        Self { front: world.into(), live: world.into() }
    }
}

/// One process's; clones are the same one.
#[derive(Clone)]
pub struct Sockets {
    front: Front,
    live: Live,
}

impl Sockets {
    /// Within the process's runtime, as a gateway.
    pub fn new(needs: Needs, keys: AccessKeys, settings: Settings, lifecycle: &Lifecycle) -> Self {
        let front = Front::new(needs.front, Keys::Access(Arc::new(keys)), settings, lifecycle);
        Self { live: Live::new(front.clone(), needs.live), front }
    }

    /// What goes on beside the sockets, until the soft stop.
    pub async fn run(&self) {
        tokio::join!(self.front.run(), self.live.run());
    }

    pub fn live(&self) -> &Live {
        &self.live
    }
}
