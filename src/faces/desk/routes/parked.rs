//! Parked messages: those that no consumer could read, and sending them back.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::domain::audit::journal::{Action, Subject};
use crate::domain::people::Permission;
use crate::faces::desk::Desk;
use crate::faces::front::once::{By, once};
use crate::faces::front::page::Page;
use crate::faces::front::routes::{Reply, path, query};
use crate::kit::http::document::params::{Key, Pages};
use crate::ports::platform::parked::ParkedMessage;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/admin/parked").route(web::get().to(get_parked))).service(
        path("/v1/admin/parked/replay").route(once(By::May(Permission::Repair), web::post().to(replay_parked))),
    );
}

/// Messages that no consumer could read
#[utoipa::path(
    get,
    path = "/v1/admin/parked",
    operation_id = "parked",
    params(Pages),
    responses(
        (status = 200, description = "A page of the messages, in the order in which they were parked.", body = Vec<ParkedMessage>),
    ),
    security(("access" = ["read"])),
)]
async fn get_parked(req: HttpRequest, desk: Data<Desk>) -> Reply {
    desk.may(&req, Permission::Read)?;
    let [limit, after] = query(&req, ["limit", "after"])?;
    let page: Page<u64> = Page::asked(limit, after, desk.settings().parked_max)?;
    let mut parked = desk.needs().parked.parked_after(page.after.unwrap_or(0), page.reach()).await?;
    let next = page.cut(&mut parked, |(place, _)| *place);
    let messages: Vec<_> = parked.into_iter().map(|(_, message)| message).collect();
    Ok(page.answer(&req, next).json(messages))
}

#[derive(Serialize, ToSchema)]
struct Replayed {
    replayed: u32,
}

/// Send them back to where they were found
#[utoipa::path(
    post,
    path = "/v1/admin/parked/replay",
    operation_id = "replay_parked",
    params(Key),
    responses((status = 200, description = "How many.", body = Replayed)),
    security(("access" = ["repair"])),
)]
async fn replay_parked(req: HttpRequest, desk: Data<Desk>) -> Reply {
    let by = desk.author(&req, Permission::Repair)?;
    desk.write_down(&by, Action::ReplayBegun, Subject::Parked, Value::Null).await?;
    let replayed = desk.needs().parked.replay(desk.settings().parked_max).await?;
    desk.wrote_down(&by, Action::ReplayEnded, Subject::Parked, json!({ "replayed": replayed })).await;
    Ok(HttpResponse::Ok().json(Replayed { replayed }))
}
