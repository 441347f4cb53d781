//! The status panel of a display: what the machine says of itself at a glance.

use crate::base::fixed::Text;

/// What a panel shows, from left to right.
pub const PANEL_ITEMS: usize = 6;
const VALUE_MAX: usize = 40;

/// One thing with its name; `None` is shown as unknown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PanelItem {
    pub label: &'static str,
    pub value: Option<Text<VALUE_MAX>>,
}

pub type PanelItems = [PanelItem; PANEL_ITEMS];
