//! The routes of the box office. A handler reads what is asked, calls one function, and says what came of it.

pub mod admin;
pub mod buying;
pub mod events;
pub mod figures;
pub mod tickets;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpRequest, HttpResponse};

use crate::app::sale::catalogue_cache::CachedSale;
use crate::faces::box_office::BoxOffice;
use crate::faces::box_office::purchase::PurchaseId;
use crate::faces::box_office::views::{PurchaseView, Said, refusal};
use crate::faces::front::routes::{Reply, numbered_sale};
use crate::kit::http::body;
use crate::kit::http::problem::{Kind, Problem};
use crate::ports::sale::showcase::{SaleList, SaleOrder};

/// Seconds after which one asks again for a ticket that is being printed, or for a purchase that is not decided.
const AGAIN_S: u32 = 1;

/// As shoppers are answered; what failed here is counted.
fn said(office: &BoxOffice, req: &HttpRequest, reply: Reply) -> Reply {
    reply.map_err(|problem| {
        if problem.kind.status().is_server_error() {
            office.0.errors.fetch_add(1, Ordering::Relaxed);
        }
        refusal(problem, is_from_memory(office, req))
    })
}

/// Of the event that the path names, or of any where it names none.
fn is_from_memory(office: &BoxOffice, req: &HttpRequest) -> bool {
    let named = |name| req.match_info().get(name);
    let of_purchase = || named("purchase").and_then(|id| id.parse().ok()).map(|id: PurchaseId| id.sale);
    let event = named("event").and_then(|event| event.parse().ok()).and_then(numbered_sale);
    match event.or_else(of_purchase) {
        Some(sale) => office.fallback().is_active_for(sale),
        None => !office.fallback().sales().is_empty(),
    }
}

/// The event that the path names: a sale that everybody may see, and that asks nothing of its buyers.
async fn event(office: &BoxOffice, req: &HttpRequest) -> Result<Arc<CachedSale>, Problem> {
    let sale = numbered_sale(body::path_number(req, "event")?).ok_or_else(no_such_event)?;
    let shown = office.board().sale(sale).await?;
    shown.filter(|shown| is_sold_here(shown)).ok_or_else(no_such_event)
}

/// Those made last, newest first: one more than a page of them has. All who read them within a moment read the same.
async fn newest(office: &BoxOffice) -> Result<Vec<Arc<CachedSale>>, Problem> {
    let list = SaleList { words: Vec::new(), state: None, order: SaleOrder::Newest { after: None } };
    let sales = office.board().list(list, office.settings().sales_max + 1).await?;
    Ok(sales.iter().filter(|shown| is_sold_here(shown)).cloned().collect())
}

/// Whoever comes here shows no admission: what asks a question is for the shop.
fn is_sold_here(shown: &CachedSale) -> bool {
    shown.sale.questions.is_empty()
}

/// The purchase is not decided yet.
fn later(office: &BoxOffice, id: &PurchaseId, message: &'static str) -> HttpResponse {
    let said = Said::new(message, PurchaseView::new(id, office.fallback().is_active_for(id.sale)));
    HttpResponse::Accepted().insert_header((RETRY_AFTER, AGAIN_S)).json(said)
}

fn no_such_event() -> Problem {
    Problem::new(Kind::NOT_FOUND, "there is no such event")
}
