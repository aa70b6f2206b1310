//! What can be had.

use actix_web::HttpRequest;
use actix_web::web::{self, Data, ServiceConfig};

use crate::domain::shared::id::SaleId;
use crate::faces::box_office::BoxOffice;
use crate::faces::box_office::routes::{event, newest, said};
use crate::faces::box_office::views::{EventView, EventsView, Refusals, Said};
use crate::faces::front::routes::{Reply, path};

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/events").route(web::get().to(get_events)))
        .service(path("/events/{event}").route(web::get().to(get_event)));
}

/// The events, with what is sold and left of each
///
/// Those made last, newest first. Sales that ask a question are not sold here, and are in no list of the box office.
#[utoipa::path(
    get,
    path = "/events",
    operation_id = "box_office_events",
    responses((status = 200, description = "The events.", body = Said<EventsView>), Refusals),
)]
async fn get_events(req: HttpRequest, office: Data<BoxOffice>) -> Reply {
    said(&office, &req, events(&office).await)
}

async fn events(office: &BoxOffice) -> Reply {
    let now = office.clock().now();
    let events = newest(office).await?.iter().map(|shown| EventView::new(shown, now)).collect();
    Ok(Said::ok("Events", EventsView { events }))
}

/// One event
#[utoipa::path(
    get,
    path = "/events/{event}",
    operation_id = "box_office_event",
    params(("event" = SaleId, Path)),
    responses((status = 200, description = "The event.", body = Said<EventView>), Refusals),
)]
async fn get_event(req: HttpRequest, office: Data<BoxOffice>) -> Reply {
    let shown = event(&office, &req).await;
    said(&office, &req, shown.map(|shown| Said::ok("Event", EventView::new(&shown, office.clock().now()))))
}
