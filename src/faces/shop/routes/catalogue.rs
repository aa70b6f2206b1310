//! What is sold, for every client.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use crate::app::sale::catalogue_cache::CachedSale;
use crate::domain::sale::search;
use crate::domain::shared::id::SaleId;
use crate::domain::shared::money::{Currency, Money};
use crate::domain::shared::time::Timestamp;
use crate::faces::front::page::{Cursor, Page};
use crate::faces::front::routes::{Reply, no_such_sale, path, query, sale_id};
use crate::faces::front::views::SaleView;
use crate::faces::shop::Shop;
use crate::faces::shop::views::{CurrencyView, ProviderView};
use crate::kit::http::document::params::{self, Pages};
use crate::kit::http::document::{problems, shapes};
use crate::kit::http::limits;
use crate::kit::http::problem::{Kind, Problem, Rule};
use crate::ports::money::payments::Unpayable;
use crate::ports::sale::showcase::{ListedState, SaleList, SaleOrder};

/// Characters of what is looked for, at most, and the words in it; two characters are a word in writing without spaces.
const SEARCH_CHARS_MAX: usize = 100;
const SEARCH_WORDS_MAX: usize = 16;

const SEARCH: &str = "search";
const STATE: &str = "state";
const STATES: [&str; 2] = ["open", "upcoming"];
const ORDER: &str = "order";
/// The first one where none is asked for.
const ORDERS: [&str; 2] = ["newest", "opening"];

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/sales").route(web::get().to(get_sales)))
        .service(path("/v1/sales/{id}").route(web::get().to(get_sale)))
        .service(path("/v1/currencies").route(web::get().to(get_currencies)))
        .service(path("/v1/provider").route(web::get().to(get_provider)));
}

/// What the list of sales is asked with, beside its page.
struct SalesAsked;

impl IntoParams for SalesAsked {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let search = "Only sales that have all of these words, in any order, in the title or among the first words of the \
            description. Case, width and accents do not count. The beginning of a word in the title is enough, from two letters \
            on; in writing without spaces any two characters that stand together, or one.";
        let state =
            "Only sales that have opened and are not over, a paused one among them; or only those that open later.";
        let mut orders = shapes::words(ORDERS);
        orders.default = Some(ORDERS[0].into());
        let mut params = Pages::into_params(place);
        params.extend([
            params::query(SEARCH, search, shapes::text::<1, SEARCH_CHARS_MAX>().into()),
            params::query(STATE, state, shapes::words(STATES).into()),
            params::query(ORDER, "What was made last comes first, or what opens first does.", orders.into()),
        ]);
        params
    }
}

/// When it opens goes before the sale where a list is in that order.
impl Cursor for (Timestamp, SaleId) {
    fn read(text: &str) -> Option<Self> {
        let (opens_at, sale) = text.split_once('.')?;
        Some((Timestamp(opens_at.parse().ok()?), SaleId::read(sale)?))
    }

    fn written(&self) -> String {
        format!("{}.{}", self.0.0, self.1)
    }
}

/// What is on sale
///
/// Newest first, or by the time at which it opens. Each page costs the same, whatever comes before it.
#[utoipa::path(
    get,
    path = "/v1/sales",
    operation_id = "sales",
    params(SalesAsked),
    responses((status = 200, description = "A page of the sales.", body = Vec<SaleView>)),
)]
async fn get_sales(req: HttpRequest, shop: Data<Shop>) -> Reply {
    let [limit, after, search, state, order] = query(&req, ["limit", "after", SEARCH, STATE, ORDER])?;
    let words = search.map(|text| searched(&text)).transpose()?.unwrap_or_default();
    let state = match state.as_deref() {
        None => None,
        Some("open") => Some(ListedState::Open),
        Some("upcoming") => Some(ListedState::Upcoming),
        Some(_) => return Err(Problem::field(STATE, Kind::INVALID, "must be open or upcoming")),
    };
    let list = |order| SaleList { words, state, order };
    match order.as_deref() {
        None | Some("newest") => {
            let page: Page<SaleId> = Page::asked(limit, after, shop.settings().sales_max)?;
            let list = list(SaleOrder::Newest { after: page.after });
            answer_list(&req, &shop, list, &page, |shown| shown.sale.id).await
        }
        Some("opening") => {
            let page: Page<(Timestamp, SaleId)> = Page::asked(limit, after, shop.settings().sales_max)?;
            let list = list(SaleOrder::Opening { after: page.after });
            answer_list(&req, &shop, list, &page, |shown| (shown.sale.opens_at, shown.sale.id)).await
        }
        Some(_) => Err(Problem::field(ORDER, Kind::INVALID, "must be newest or opening")),
    }
}

async fn answer_list<K: Cursor>(
    req: &HttpRequest,
    shop: &Shop,
    list: SaleList,
    page: &Page<K>,
    place: impl Fn(&CachedSale) -> K,
) -> Reply {
    // Any words that a client makes up reach the ledger, so only some at once do.
    let turn = if list.words.is_empty() { None } else { Some(shop.searches().try_acquire()) };
    if let Some(Err(_)) = turn {
        return Err(Problem::new(Kind::BUSY, "many search at this moment; come again shortly"));
    }
    // As long as any page may be, so that all who read from here read the same.
    let list = shop.board().list(list, shop.settings().sales_max + 1).await?;
    let mut shown: Vec<_> = list.iter().take(page.reach() as usize).collect();
    let next = page.cut(&mut shown, |shown| place(shown));
    let now = shop.clock().now();
    let views: Vec<SaleView> = shown.into_iter().map(|shown| SaleView::new(shown, now)).collect();
    Ok(page.answer(req, next).json(views))
}

/// The words that are looked for.
fn searched(text: &str) -> Result<Vec<String>, Problem> {
    let words = search::words_asked(limits::text(SEARCH, text, SEARCH_CHARS_MAX)?);
    if words.is_empty() {
        let detail = "must have a letter or a digit in it";
        return Err(Problem::field(SEARCH, Kind::INVALID, detail).rule(Rule::EMPTY));
    }
    if words.len() > SEARCH_WORDS_MAX {
        let detail = format!("must be at most {SEARCH_WORDS_MAX} words");
        return Err(Problem::field(SEARCH, Kind::INVALID, detail).rule(Rule::COUNT).with("max", SEARCH_WORDS_MAX));
    }
    Ok(words.into_iter().collect())
}

/// One sale
///
/// One that is not published yet is not there.
#[utoipa::path(
    get,
    path = "/v1/sales/{id}",
    operation_id = "sale",
    params(("id" = SaleId, Path)),
    responses((status = 200, description = "The sale.", body = SaleView), problems::Invalid, problems::Missing),
)]
async fn get_sale(req: HttpRequest, shop: Data<Shop>) -> Reply {
    let board = shop.board();
    let shown = board.seen(sale_id(&req)?).await?.ok_or_else(no_such_sale)?;
    let description = board.description(shown.sale.item).await?;
    Ok(HttpResponse::Ok().json(SaleView::new(&shown, shop.clock().now()).described(&description)))
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
async fn get_currencies(shop: Data<Shop>) -> Reply {
    let payments = &shop.needs().payments;
    let is_taken =
        |&currency: &Currency| !matches!(payments.check(Money { minor: 1, currency }), Err(Unpayable::Currency(_)));
    let views: Vec<CurrencyView> = Currency::all().into_iter().filter(is_taken).map(CurrencyView::from).collect();
    Ok(HttpResponse::Ok().json(views))
}

/// Who takes the money here
#[utoipa::path(
    get,
    path = "/v1/provider",
    operation_id = "provider",
    responses((status = 200, description = "The payment provider.", body = ProviderView)),
)]
async fn get_provider(shop: Data<Shop>) -> Reply {
    Ok(HttpResponse::Ok().json(ProviderView::from(shop.needs().payments.provider())))
}
