//! Sockets: every story once over each transport, and where a broker matters, over each broker.

mod doors;
pub mod fixture;
mod frames;
mod losing;
mod session;
mod telling;

use fixture::{Way, over_memory, over_rabbit, rules};

macro_rules! over {
    ($name:ident, $way:expr) => {
        mod $name {
            use super::*;

            over!(@each $way, over_memory, telling, in_memory:
                a_buyer_hears_held_and_then_confirmed every_tab_hears_and_nobody_else_does
                doubled_late_and_mixed_notices_show_nothing_older a_correction_is_told_by_its_version
                counters_say_that_all_is_paid_and_whether_one_may_wait);
            #[cfg(feature = "servers")]
            over!(@each $way, over_rabbit, telling, with_rabbit:
                a_buyer_hears_held_and_then_confirmed every_tab_hears_and_nobody_else_does
                doubled_late_and_mixed_notices_show_nothing_older);
            over!(@each $way, over_memory, doors, lines:
                a_token_may_travel_as_a_subprotocol bad_words_are_closed_with_their_code
                what_cannot_be_watched_is_refused_by_itself only_pages_of_this_host_get_in
                who_logs_out_everywhere_is_sent_away);
            over!(@alone $way, doors, rules_of:
                listed_origins places_are_bounded who_brings_no_token_keeps_nobody_out who_says_nothing_is_sent_away
                a_token_ends_its_socket_and_a_newer_one_keeps_it a_flood_is_stopped
                half_open_clients_are_dropped who_does_not_read_is_dropped a_stop_sends_everybody_elsewhere);
            over!(@alone $way, telling, words:
                a_newcomer_does_not_take_the_news_from_the_others a_crowd_is_told_of_numbers_in_turns);
            over!(@alone $way, losing, lost: who_lags_looks_again what_nobody_tells_is_found_by_comparing
                a_sale_of_which_something_was_missed_is_looked_at
                #[cfg(feature = "servers")] a_broker_that_was_away_costs_nothing
                #[cfg(feature = "servers")] a_broker_that_was_silent_costs_nothing);
            over!(@alone $way, frames, wire:
                garbage_is_told_apart fragments_make_a_message so_many_fragments_may_be_empty what_is_too_long_is_refused_before_it_came
                messages_are_as_long_as_they_may_be a_text_that_cannot_become_one_is_refused_at_once);
        }
    };
    (@each $way:expr, $world:ident, $module:ident, $name:ident: $($story:ident)*) => {
        mod $name {
            use super::*;

            $(#[actix_web::test]
            async fn $story() {
                $module::$story($world($way, rules()).await).await;
            })*
        }
    };
    (@alone $way:expr, $module:ident, $name:ident: $($(#[$when:meta])? $story:ident)*) => {
        mod $name {
            use super::*;

            $($(#[$when])?
            #[actix_web::test]
            async fn $story() {
                $module::$story($way).await;
            })*
        }
    };
}

#[actix_web::test]
async fn a_process_of_sockets_alone_gives_no_right_to_pay() {
    telling::a_process_of_sockets_alone_gives_no_right_to_pay(Way::Shop).await;
}

over!(shop, Way::Shop);
over!(lean, Way::Lean);
