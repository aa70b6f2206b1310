//! What is sold, to anybody; and what a buyer must answer first.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::sale::question;
use crate::domain::shared::id::SaleId;
use crate::domain::shared::money::{Currency, Money};
use crate::faces::gateway::Gateway;
use crate::faces::gateway::routes::page::Page;
use crate::faces::gateway::routes::{Reply, no_such_sale, path, query, sale_id};
use crate::faces::gateway::views::{CurrencyView, SaleView};
use crate::kit::http::document::params::Pages;
use crate::kit::http::document::problems;
use crate::ports::money::payments::Unpayable;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/sales").route(web::get().to(get_sales)))
        .service(path("/v1/sales/{id}").route(web::get().to(get_sale)))
        .service(path("/v1/sales/{id}/question").route(web::get().to(get_question)))
        .service(path("/v1/currencies").route(web::get().to(get_currencies)));
}

/// What is on sale, newest first
#[utoipa::path(
    get,
    path = "/v1/sales",
    operation_id = "sales",
    params(Pages),
    responses((status = 200, description = "A page of the sales.", body = Vec<SaleView>)),
)]
async fn get_sales(req: HttpRequest, gateway: Data<Gateway>) -> Reply {
    let [limit, after] = query(&req, ["limit", "after"])?;
    let sales_max = gateway.settings().sales_max;
    let page: Page<SaleId> = Page::asked(limit, after, sales_max)?;
    // As long as any page may be, so that all who read from here read the same.
    let list = gateway.board().list(gateway.needs(), page.after, sales_max + 1).await?;
    let mut shown: Vec<_> = list.iter().take(page.reach() as usize).collect();
    let next = page.cut(&mut shown, |shown| shown.sale.id);
    let now = gateway.clock().now();
    let views: Vec<SaleView> = shown.into_iter().map(|shown| SaleView::new(shown, now)).collect();
    Ok(page.answer(&req, next).json(views))
}

/// One sale
#[utoipa::path(
    get,
    path = "/v1/sales/{id}",
    operation_id = "sale",
    params(("id" = SaleId, Path)),
    responses((status = 200, description = "The sale.", body = SaleView), problems::Invalid, problems::Missing),
)]
async fn get_sale(req: HttpRequest, gateway: Data<Gateway>) -> Reply {
    let (board, needs) = (gateway.board(), gateway.needs());
    let shown = board.seen(needs, sale_id(&req)?).await?.ok_or_else(no_such_sale)?;
    let description = board.description(needs, shown.sale.item).await?;
    Ok(HttpResponse::Ok().json(SaleView::new(&shown, gateway.clock().now()).described(&description)))
}

/// Nulls when the sale asks nothing.
#[derive(Serialize, ToSchema)]
#[schema(as = Question)]
struct QuestionView<'a> {
    #[schema(required)]
    question_id: Option<usize>,
    #[schema(required)]
    prompt: Option<&'a str>,
}

/// What this buyer is asked
#[utoipa::path(
    get,
    path = "/v1/sales/{id}/question",
    operation_id = "question",
    params(("id" = SaleId, Path)),
    responses((status = 200, description = "The question.", body = QuestionView), problems::Invalid, problems::Missing),
    security(("access" = [])),
)]
async fn get_question(req: HttpRequest, gateway: Data<Gateway>) -> Reply {
    let buyer = gateway.buyer(&req)?;
    let shown = gateway.board().sale(gateway.needs(), sale_id(&req)?).await?.ok_or_else(no_such_sale)?;
    let index = question::index_for(&shown.sale, buyer);
    let prompt = index.map(|index| shown.sale.questions[index].prompt.as_str());
    Ok(HttpResponse::Ok().json(QuestionView { question_id: index, prompt }))
}

/// What sales can be priced in, and how many decimals each has
#[utoipa::path(
    get,
    path = "/v1/currencies",
    operation_id = "currencies",
    responses(
        (status = 200, description = "The currencies that the payment provider takes, by their codes.", body = Vec<CurrencyView>),
    ),
)]
async fn get_currencies(gateway: Data<Gateway>) -> Reply {
    let payments = &gateway.needs().payments;
    let is_taken =
        |&currency: &Currency| !matches!(payments.check(Money { minor: 1, currency }), Err(Unpayable::Currency(_)));
    let views: Vec<CurrencyView> = Currency::all().into_iter().filter(is_taken).map(CurrencyView::from).collect();
    Ok(HttpResponse::Ok().json(views))
}
