//! Time zones, as PostgreSQL's own data has them: which day it is somewhere, and when that day begins, exactly as SQL's
//! date_trunc(…, …, zone) says.

use crate::moment::Time;
use pgrx::pg_sys;
use std::ffi::{CStr, CString};
use std::ptr::NonNull;
use time::Date;

/// A time zone that is there.
#[derive(Debug, Clone, Copy)]
pub struct Zone(NonNull<pg_sys::pg_tz>);

impl Zone {
    /// The time zone of that name, in whatever case: from PostgreSQL's list or in POSIX form.
    pub fn find(name: &str) -> Option<Self> {
        let name = CString::new(name).ok()?;
        // SAFETY: the name is a live C string that pg_tzset reads and does not keep; longer ones than it takes are refused
        // by it. What it returns the session keeps for ever.
        NonNull::new(unsafe { pg_sys::pg_tzset(name.as_ptr()) }).map(Zone)
    }

    /// The time zone of that name in the IANA database, with a place; or UTC. Abbreviations and POSIX forms are not in
    /// it: to SQL functions, some of them mean something else.
    pub fn of_place(name: &str) -> Option<Self> {
        Zone::find(name).filter(|zone| {
            // SAFETY: it reads a zone that the session keeps.
            let counts_no_leap_seconds = unsafe { pg_sys::pg_tz_acceptable(zone.0.as_ptr()) };
            let name = zone.name();
            // A POSIX form has a digit, and PostgreSQL makes capitals of it.
            let is_posix =
                name.contains(|c: char| c.is_ascii_digit()) && !name.contains(|c: char| c.is_ascii_lowercase());
            counts_no_leap_seconds && (name == "UTC" || name.contains('/') && !is_posix)
        })
    }

    /// Its name, as the database spells it.
    pub fn name(self) -> String {
        // SAFETY: the name is a C string in the zone, which the session keeps.
        unsafe { CStr::from_ptr(pg_sys::pg_get_timezone_name(self.0.as_ptr())) }.to_string_lossy().into_owned()
    }

    /// The date there at a moment; `None` beyond the calendar.
    pub fn date(self, at: Time) -> Option<Date> {
        let seconds: pg_sys::pg_time_t = at.unix_seconds();
        // SAFETY: it reads the moment and the zone; what it returns is its own, until it is called again, or null.
        let east = unsafe { pg_sys::pg_localtime(&raw const seconds, self.0.as_ptr()).as_ref() }?.tm_gmtoff;
        at.plus_seconds(east).date()
    }

    /// When a date begins there. Where its midnight comes twice, that is the second, and where there is none, the moment
    /// that comes in its place.
    pub fn midnight(self, date: Date) -> Time {
        let mut there = pg_sys::pg_tm::default();
        (there.tm_year, there.tm_mon, there.tm_mday) =
            (date.year(), i32::from(u8::from(date.month())), date.day().into());
        // SAFETY: it reads the date, which is in range, and the zone, and writes whether daylight saving time holds.
        let west = unsafe { pg_sys::DetermineTimeZoneOffset(&raw mut there, self.0.as_ptr()) };
        Time::midnight(date).plus_seconds(west.into())
    }
}
