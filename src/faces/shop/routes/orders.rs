//! A buyer's orders.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::domain::money::order::Order;
use crate::domain::shared::id::{ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::faces::front::page::{Cursor, Page};
use crate::faces::front::routes::{Reply, is_order_number, order_number, path, query};
use crate::faces::front::views::OrderView;
use crate::faces::shop::Shop;
use crate::faces::shop::views::ListedOrderView;
use crate::kit::http::document::params::Pages;
use crate::kit::http::document::problems;
use crate::kit::http::problem::{Kind, Problem};
use crate::ports::money::orders::OrderPlace;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/orders").route(web::get().to(get_orders)))
        .service(path("/v1/orders/{number}").route(web::get().to(get_order)));
}

impl Cursor for OrderPlace {
    fn read(text: &str) -> Option<Self> {
        let (placed_at, number) = text.split_once('.')?;
        let placed_at = Timestamp(placed_at.parse().ok()?);
        is_order_number(number).then(|| Self { placed_at, number: number.to_owned() })
    }

    fn written(&self) -> String {
        format!("{}.{}", self.placed_at.0, self.number)
    }
}

/// This buyer's orders, newest first
#[utoipa::path(
    get,
    path = "/v1/orders",
    operation_id = "orders",
    params(Pages),
    responses((status = 200, description = "A page of the orders.", body = Vec<ListedOrderView>)),
    security(("access" = [])),
)]
async fn get_orders(req: HttpRequest, shop: Data<Shop>) -> Reply {
    let buyer = shop.buyer(&req)?;
    let [limit, after] = query(&req, ["limit", "after"])?;
    let page: Page<OrderPlace> = Page::asked(limit, after, shop.settings().orders_max)?;
    let mut orders = shop.needs().orders.orders_after(buyer, page.after.as_ref(), page.reach()).await?;
    let next = page.cut(&mut orders, |order| OrderPlace::from(order));
    let mut sales: Vec<SaleId> = orders.iter().map(|order| order.sale).collect();
    sales.sort_unstable();
    sales.dedup();
    let titles = shop.needs().catalogue.titles(&sales).await?;
    let given_back: Vec<ReservationId> =
        orders.iter().filter(|order| order.refunded_amount.minor > 0).map(|order| order.reservation).collect();
    let refunds = shop.needs().refunds.refunds_of(&given_back).await?;
    let views: Vec<_> = orders.into_iter().map(|order| ListedOrderView::new(order, &refunds, &titles)).collect();
    Ok(page.answer(&req, next).json(views))
}

/// One order
#[utoipa::path(
    get,
    path = "/v1/orders/{number}",
    operation_id = "order",
    params(("number" = String, Path, min_length = 14, max_length = 14)),
    responses((status = 200, description = "The order.", body = OrderView), problems::Missing),
    security(("access" = [])),
)]
async fn get_order(req: HttpRequest, shop: Data<Shop>) -> Reply {
    let order = own_order(&shop, &req).await?;
    let refunds = shop.needs().refunds.refunds_of(&[order.reservation]).await?;
    Ok(HttpResponse::Ok().json(OrderView::with_refunds(order, &refunds)))
}

/// The order that the path names, for its buyer.
pub async fn own_order(shop: &Shop, req: &HttpRequest) -> Result<Order, Problem> {
    let buyer = shop.buyer(req)?;
    // Another buyer's order reads like one that never was.
    let order = match order_number(req) {
        Some(number) => shop.needs().orders.order(number).await?.filter(|order| order.buyer == buyer),
        None => None,
    };
    order.ok_or_else(|| Problem::new(Kind::NOT_FOUND, "you have no such order"))
}
