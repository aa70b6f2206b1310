//! The gateway: the faces that people talk to, put together in one process, a line each. What a face needs of the world is its
//! own (`wire/needs.rs`); what all have in common is the front.

use std::ops::Deref;
use std::sync::Arc;

use actix_web::web::ServiceConfig;

use crate::app::receipts::Receipts;
use crate::faces::front::{self, Front, Settings};
use crate::faces::live::Live;
use crate::faces::tokens::{Keys, TokenKeys};
use crate::faces::{account, desk, door, live, shop, webhooks};
use crate::kit::http::document::Part;
use crate::kit::work::lifecycle::Lifecycle;
use crate::wire::document::DOCUMENT;
use crate::wire::world::World;

/// A face is its room, its state, and what that is made of beside the front and its needs.
macro_rules! faces {
    ($receipts:ident: $($room:ident: $face:ident($($given:ident)?),)*) => {
        #[derive(Clone)]
        pub struct Needs {
            front: front::Needs,
            $($room: $room::Needs,)*
        }

        impl From<&World> for Needs {
            fn from(world: &World) -> Self {
                Self { front: world.into(), $($room: world.into(),)* }
            }
        }

        /// One process's gateway; clones are the same one. Used like the front where no face is meant.
        #[derive(Clone)]
        pub struct Gateway {
            front: Front,
            $($room: $room::$face,)*
        }

        impl Gateway {
            /// Within the process's runtime: moves that outlive their connection run there.
            pub fn new(
                needs: Needs,
                keys: Arc<TokenKeys>,
                $receipts: Receipts,
                settings: Settings,
                lifecycle: &Lifecycle,
            ) -> Self {
                let front = Front::new(needs.front, Keys::Signing(keys), settings, lifecycle);
                $(let $room = $room::$face::new(front.clone(), needs.$room $(, $given.clone())?);)*
                Self { front, $($room,)* }
            }
        }

        /// The paths of all faces. Each is a whole path, so that another service may have its own beside them.
        pub fn routes(cfg: &mut ServiceConfig, gateway: Gateway) {
            front::document::routes(cfg, gateway.front, || &DOCUMENT);
            $($room::routes(cfg, gateway.$room);)*
        }

        /// What the document says of them.
        pub fn parts() -> Vec<Part> {
            vec![front::document::part(), $($room::part(),)*]
        }
    };
}

faces! { receipts:
    account: AccountFace(receipts),
    shop: Shop(receipts),
    live: Live(),
    desk: Desk(receipts),
    door: Door(receipts),
    webhooks: Webhooks(),
}

impl Gateway {
    /// What goes on beside the requests, until the soft stop.
    pub async fn run(&self) {
        tokio::join!(self.front.run(), self.live.run(), self.account.run());
    }

    /// Passwords hashed since the start.
    pub fn hashes(&self) -> u64 {
        self.account.hashes()
    }

    /// Sockets that are open now, strangers included.
    pub fn sockets_open(&self) -> usize {
        self.live.sockets_open()
    }

    /// Its sockets.
    pub fn live(&self) -> &Live {
        &self.live
    }
}

impl Deref for Gateway {
    type Target = Front;

    fn deref(&self) -> &Front {
        &self.front
    }
}
