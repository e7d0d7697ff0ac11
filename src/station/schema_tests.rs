//! The published schema of the events.

use super::event::Event;
use crate::report::schema_tests::is_published;

#[test]
fn the_schema_of_a_station_s_events_is_published() {
    is_published::<Event>("station-event.schema.json");
}
