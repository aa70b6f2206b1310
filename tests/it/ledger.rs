//! The durable stores, each on a database of its own: the same suite over every dialect.

mod holders;
mod journal;
mod latest;
mod letters;
mod lists;

use futures_util::future::join_all;
use miaosha::adapters::sql::mysql::MysqlStore;
use miaosha::adapters::sql::sqlite::SqliteStore;
use miaosha::domain::people::Role;
use miaosha::domain::shared::locale::Locale;
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::ports::people::accounts::Accounts;
use sqlx::{AssertSqlSafe, Connection, MySqlConnection, SqliteConnection};

use crate::contract::ledger as contract;
use crate::support::servers;

/// A store and what keeps it alive.
struct Fresh<S, K> {
    store: S,
    keep: K,
}

async fn sqlite() -> Fresh<SqliteStore, tempfile::TempDir> {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("ledger.db"), Lifecycle::new().tasks()).await.unwrap();
    store.migrate().await.unwrap();
    store.verify_schema().await.unwrap();
    Fresh { store, keep: folder }
}

/// Of a private server that goes away with its databases: one that a failed test leaves behind does no harm.
struct Database {
    name: String,
}

impl Database {
    async fn drop(self) {
        execute(format!("DROP DATABASE `{}`", self.name)).await;
    }
}

async fn execute(sql: String) {
    let mut conn = MySqlConnection::connect(&servers::mysql_url()).await.unwrap();
    sqlx::query(AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
}

/// A database of its own, and its url.
async fn database() -> (Database, String) {
    let name = servers::unique_name();
    execute(format!("CREATE DATABASE `{name}`")).await;
    let url = servers::mysql_url();
    let (server, _) = url.rsplit_once('/').unwrap();
    let url = format!("{server}/{name}");
    (Database { name }, url)
}

async fn mysql() -> Fresh<MysqlStore, Database> {
    let (database, url) = database().await;
    let store = MysqlStore::connect(&url, 8).await.unwrap();
    store.migrate().await.unwrap();
    store.verify_schema().await.unwrap();
    Fresh { store, keep: database }
}

/// Every test of the suite over each dialect, on a database of its own.
macro_rules! suite {
    ($($test:ident)*) => {
        mod over_sqlite {
            $(#[tokio::test]
            async fn $test() {
                let fresh = super::sqlite().await;
                super::contract::$test(fresh.store.clone()).await;
            })*
        }

        #[cfg(feature = "servers")]
        mod over_mysql {
            $(#[tokio::test]
            async fn $test() {
                let fresh = super::mysql().await;
                super::contract::$test(fresh.store.clone()).await;
                fresh.keep.drop().await;
            })*
        }
    };
}

suite! {
    a_sale_is_read_as_it_was_written
    a_sale_needs_its_item
    sales_are_listed_newest_first
    a_closed_sale_stays_closed_and_capacity_only_grows
    a_sale_matters_until_nothing_can_happen
    what_moved_a_sale_is_found
    a_round_goes_by_every_sale_that_matters
    the_last_turns_of_many_are_read_at_once
    lists_are_whole_and_in_order
    a_sale_is_found_by_its_words
    what_is_counted_of_a_listed_sale
    holders_are_found_by_name_a_moment_after
    who_is_erased_is_found_by_number_alone
    a_draft_is_in_no_list_until_it_is_published
    a_draft_that_is_closed_is_never_seen
    a_request_makes_one_draft
    a_sale_that_closes_later_is_in_the_lists
    of_many_who_publish_one_does
    what_is_corrected_goes_by_its_version
    terms_stay_once_somebody_pressed
    of_a_price_and_a_first_hold_one_comes_first
    other_limits_are_another_generation
    an_address_has_one_account
    a_plan_is_kept_once_and_given_back_as_it_is
    the_largest_plan_is_kept
    a_plan_that_two_keep_at_once_is_new_to_one
    operators_are_listed_and_change
    one_owner_stays
    of_two_owners_who_demote_each_other_one_stays
    a_second_factor_is_offered_and_confirmed
    a_second_factor_goes_with_its_account
    of_many_who_show_one_code_one_is_let_in
    tries_are_counted_before_they_are_judged
    an_account_with_good_tickets_is_erased_by_its_owners_word
    holds_that_lapsed_are_remembered
    a_hold_that_is_cancelled_is_remembered_and_what_is_paid_is_not
    a_hold_lapses_when_its_time_is_over
    a_hold_that_is_being_paid_does_not_lapse
    a_buyer_cancels_what_is_held_or_waits
    what_is_being_paid_or_was_is_not_cancelled
    standby_ends_when_everything_is_paid
    standby_outlasts_the_last_payment
    a_raise_written_before_the_close_keeps_whom_it_fits
    lines_that_may_end_are_found
    standby_ends_when_a_closed_sale_has_nothing_left_to_give
    standby_ends_when_an_operator_closed_the_sale
    checkouts_begin_and_end_together
    of_two_in_a_group_who_want_one_hold_one_takes_it
    one_that_cannot_be_written_fails_alone
    a_request_is_claimed_with_what_it_asks_for
    an_answer_is_kept_with_its_order
    groups_of_two_tills_take_each_hold_once
    a_crowd_checks_out_together
    a_payment_that_was_never_opened_is_no_decline
    what_costs_nothing_is_confirmed_at_once
    a_captured_payment_becomes_one_order
    orders_are_listed_newest_first
    orders_are_read_from_a_place_on
    a_number_that_is_taken_confirms_nothing
    a_capture_that_cannot_stand_is_to_be_refunded
    a_second_payment_of_a_confirmed_reservation_is_to_be_refunded
    a_void_payment_leaves_the_hold_while_there_is_time
    a_void_payment_lapses_what_is_out_of_time
    the_sweeper_finds_payments_that_hang
    an_operator_gives_back_a_whole_order
    single_units_leave_an_order_one_by_one
    a_refund_asked_for_again_under_its_request_is_the_same
    the_last_refund_takes_what_is_left
    of_refunds_at_once_each_unit_goes_back_once
    a_restore_knows_what_is_left_of_an_order
    a_refund_moves_from_what_was_read
    refunds_are_listed_by_where_they_stand
    what_was_made_at_the_provider_is_in_the_books
    what_is_made_good_at_the_provider_is_owed_no_more
    a_capture_that_could_not_stand_goes_back_by_hand
    of_two_lapses_and_a_checkout_one_wins
    of_a_capture_and_a_void_one_wins
    turns_recorded_by_many_at_once_are_each_recorded_once
    releases_and_births_by_many_at_once_come_out_right
    a_recording_during_a_restore_is_in_it_or_moved
    what_ends_during_a_restore_is_freed_or_still_to_be_freed
    a_look_tells_generation_turns_and_flags
    a_turn_of_any_generation_counts_as_recorded
    who_finds_a_batch_recorded_gets_its_rows
    an_attempt_has_one_outcome_and_only_for_its_buyer
    batches_that_were_decided_say_so_attempt_by_attempt
    the_hold_of_who_would_not_wait_is_short
    buyer_ids_use_all_their_bits
    a_buyer_finds_the_live_reservation_or_the_last
    a_position_counts_who_is_served_before
    many_are_found_as_each_alone
    the_sweeper_finds_what_is_due
    the_oldest_of_each_kind_is_known
    an_audit_reports_what_is_broken
    the_ledger_has_a_time_of_its_own
    a_batch_is_recorded_as_it_was_decided
    nothing_to_record_is_done
    recorded_twice_is_done_once
    a_later_revision_may_be_recorded_first
    one_call_may_bring_turns_that_build_on_each_other
    a_call_of_many_full_batches_is_recorded
    another_turn_at_a_revision_diverges
    a_chain_that_does_not_fit_the_turn_before_diverges
    a_chain_that_does_not_fit_the_turn_after_diverges
    a_first_turn_that_follows_something_diverges
    a_cause_of_another_revision_diverges
    what_a_fence_refuses_diverges_and_leaves_nothing
    a_row_that_is_there_is_not_born_again
    a_turn_of_another_generation_is_moved
    a_promotion_waits_for_its_row_to_be_born
    a_promotion_of_an_ended_row_is_left_to_its_own_release
    a_promotion_of_a_held_row_diverges
    many_promotions_travel_together
    a_standing_counts_what_is_sold_held_and_waiting
    a_snapshot_is_what_the_turnstile_has
    a_restore_frees_promotes_and_takes_the_next_generation
    who_waited_before_a_restore_is_served_before_who_came_after
    what_ends_after_a_restore_is_still_to_be_freed
    a_capacity_that_was_raised_is_what_a_restore_gives
    one_restore_at_a_time_for_each_sale
    a_lease_keeps_a_sale_for_its_holder_and_runs_out
    the_first_revision_without_a_turn_is_found
    a_history_has_every_turn_and_every_reservation
    one_of_many_claims_a_request
    a_claim_ends_with_its_lease
    a_key_is_good_for_one_payload
    what_was_kept_is_told_again
    what_was_let_go_is_claimed_at_once
    what_was_refused_was_never_asked
    an_expired_key_is_a_new_request
    old_requests_are_forgotten_some_at_a_time
    a_request_makes_one_item_and_one_sale
    sales_that_are_over_are_found_from_their_close_on
    a_certificate_is_of_the_last_turn
    turns_go_but_for_the_last_and_the_sums_stay
    turns_of_older_generations_go_too
    what_ended_is_kept_apart_but_for_the_newest
    an_attempt_is_answered_as_long_as_its_row_is_kept
    so_many_buyers_rows_are_kept_apart_at_once
    two_who_remove_take_each_row_once
    letters_that_are_done_go_after_their_time
    a_letter_is_kept_once_and_is_due_until_it_is_done
    of_many_who_claim_a_letter_one_has_it
    the_claim_of_who_died_runs_out
    the_claims_of_the_dead_are_void
    a_letter_that_is_put_off_is_due_later
    what_is_unsent_or_refused_is_counted
    holds_lapses_and_refusals_are_no_events
    an_order_is_told_once
    what_is_undone_is_no_event
    money_that_goes_back_is_told_once
    a_cancel_is_told_once
    a_crowd_of_promotions_is_told
    a_restore_tells_whom_it_promotes
    published_events_are_read_no_more_and_go
    who_publishes_is_woken
    reservations_are_listed_once_each
    a_row_that_ends_meanwhile_is_listed
    orders_are_listed_once_each
    people_are_found_where_they_have_an_account
    decisions_are_read_a_page_at_a_time
    totals_are_what_the_rows_come_to
    a_block_is_made_once_for_its_request
    a_block_takes_units_and_gives_them_back
    what_a_block_does_not_get_never_waits
    a_block_that_ended_in_the_queue_gets_nothing
    a_block_that_got_nothing_has_ended
    a_blocks_turn_is_recorded_once
    a_restore_knows_what_is_blocked
    closing_leaves_blocks
    blocks_are_listed_a_page_at_a_time
    the_house_is_in_no_buyers_figures
    of_many_who_end_a_block_one_does
    the_journal_is_read_as_it_was_written
    of_many_who_write_at_once_the_chain_stays_one
    an_effect_on_a_sale_is_one_with_its_entry
    an_effect_on_units_is_one_with_its_entry
    a_change_of_an_account_is_one_with_its_entry
}

#[tokio::test]
async fn sqlite_is_migrated_by_two_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let (one, other) = (
        SqliteStore::open(&path, Lifecycle::new().tasks()).await.unwrap(),
        SqliteStore::open(&path, Lifecycle::new().tasks()).await.unwrap(),
    );
    let missing = one.verify_schema().await.unwrap_err();
    assert!(missing.to_string().contains("miaosha migrate"), "{missing}");
    let (first, second) = tokio::join!(one.migrate(), other.migrate());
    first.unwrap();
    second.unwrap();
    other.verify_schema().await.unwrap();
    let mut conn = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    sqlx::query("DELETE FROM _sqlx_migrations WHERE version = 5").execute(&mut conn).await.unwrap();
    let missing = one.verify_schema().await.unwrap_err();
    assert!(missing.to_string().contains("0005 claims is missing"), "{missing}");
}

#[cfg(feature = "servers")]
#[tokio::test]
async fn mysql_is_migrated_by_many_at_once() {
    let (database, url) = database().await;
    let store = MysqlStore::connect(&url, 4).await.unwrap();
    store.ping().await.unwrap();
    let missing = store.verify_schema().await.unwrap_err();
    assert!(missing.to_string().contains("miaosha migrate"), "{missing}");
    for migrated in join_all((0..4).map(|_| store.migrate())).await {
        migrated.unwrap();
    }
    store.verify_schema().await.unwrap();
    execute(format!("DELETE FROM `{}`._sqlx_migrations WHERE version = 5", database.name)).await;
    let missing = store.verify_schema().await.unwrap_err();
    assert!(missing.to_string().contains("0005 claims is missing"), "{missing}");
    database.drop().await;
}

/// What was answered is on the disk: another process finds it, whatever became of the first.
#[tokio::test]
async fn sqlite_is_opened_again_where_it_was() {
    let first = sqlite().await;
    first
        .store
        .create_account("Ann", "ann@example.org", "hash", Role::Shopper, Locale::En, None)
        .await
        .unwrap()
        .unwrap();
    let again = SqliteStore::open(&first.keep.path().join("ledger.db"), Lifecycle::new().tasks()).await.unwrap();
    assert!(again.account_by_email("ann@example.org").await.unwrap().is_some());
}

#[tokio::test]
async fn what_is_away_is_a_fault_of_the_ledger() {
    let nobody = MysqlStore::connect("mysql://nobody:x@127.0.0.1:1/none", 1).await.err().unwrap();
    assert_eq!(nobody.part, "ledger");
    let nowhere =
        SqliteStore::open(std::path::Path::new("/nowhere/at/all.db"), Lifecycle::new().tasks()).await.err().unwrap();
    assert_eq!(nowhere.part, "ledger");
}
