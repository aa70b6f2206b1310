//! The sockets' path on the shop's own port.

use actix_web::HttpRequest;
use actix_web::web::{self, Data, Payload, ServiceConfig};

use crate::http::socket::shop;
use crate::ports::World;
use crate::services::gateway::Gateway;
use crate::services::gateway::routes::{Reply, path};
use crate::services::gateway::sockets::PATH;

pub fn routes<W: World>(cfg: &mut ServiceConfig) {
    cfg.service(path(PATH).route(web::get().to(get_socket::<W>)));
}

async fn get_socket<W: World>(req: HttpRequest, payload: Payload, gateway: Data<Gateway<W>>) -> Reply {
    shop::upgrade(&**gateway, &req, payload).await
}
