//! What PostgreSQL makes hard, made safe. All `unsafe` of the extension is in this folder, each block with the reason
//! it is sound; nothing in here knows about credits.

pub mod argument;
pub mod array;
pub mod backend;
pub mod cache;
pub mod last;
pub mod lock;
pub mod memory;
pub mod numeric;
pub mod patience;
pub mod placeholder;
pub mod planning;
pub mod procedure;
pub mod queue;
pub mod raise;
pub mod reply;
pub mod row_version;
pub mod span;
pub mod statement;
pub mod subtransaction;
pub mod value;
