//! Drawing a stratified multi-stage sample from a frame.
//!
//! A frame lists the 居/村委会 of a city with their households. Inside each stratum first-stage units are drawn with
//! probability in proportion to size, systematically along an order that spreads the sample over 城乡 and place; if
//! the frame names second-stage units, they are drawn the same way inside each first-stage unit; then households with
//! equal chances. Each stage's inclusion probability is in the result, and their product is the household's.
//!
//! | file | what |
//! |---|---|
//! | `frame` | the frame as units, read from CSV with every fault named |
//! | `systematic` | the draws themselves, in whole numbers |
//! | `draw` | the stages put together |
//! | `random` | one random stream a stratum |

pub mod draw;
pub mod frame;
mod random;
pub mod systematic;

pub use draw::{DrawError, DrawPlan, DrawnCase, draw};
pub use frame::{Frame, FrameFault, FrameUnit};
