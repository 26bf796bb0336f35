//! All orders that count, by place: in the order their issuers issued them.

use std::collections::VecDeque;

use tocsin_core::filter::Filter;
use tocsin_core::name::Collection;
use tocsin_core::registry::Position;
use tocsin_core::statement::StatementRef;

use crate::limits;
use crate::node::Node;

/// Walks the orders that a filter lets through. The registry's lock is held for
/// [`limits::WALK_CHUNK`] orders at a time, so a long list stops no writer; orders that come in
/// meanwhile stand behind those walked, or are left to the next walk.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    node: &'a Node,
    filter: &'a Filter,
    next: Option<Position>,
    read: VecDeque<(Position, StatementRef)>,
    is_over: bool,
}

impl<'a> Walk<'a> {
    pub(crate) const fn new(node: &'a Node, filter: &'a Filter, from: Option<Position>) -> Self {
        Self {
            node,
            filter,
            next: from,
            read: VecDeque::new(),
            is_over: false,
        }
    }

    fn read_on(&mut self) {
        let applied = self.node.state.read();
        let registry = &applied.registry;
        let issued = registry.said(Collection::Orders, self.next.as_ref());
        let issued: Vec<Position> = issued.take(limits::WALK_CHUNK).collect();
        self.is_over = issued.len() < limits::WALK_CHUNK;
        for at in issued {
            self.next = Some(Position {
                index: at.index + 1,
                ..at.clone()
            });
            let order = registry.order_at(&at);
            let counts = order.filter(|order| {
                registry.void_reason(&at).is_none() && registry.is_wanted(order, self.filter)
            });
            self.read
                .extend(counts.map(|order| (at.clone(), order.clone())));
        }
    }
}

impl Iterator for Walk<'_> {
    type Item = (Position, StatementRef);

    fn next(&mut self) -> Option<Self::Item> {
        while self.read.is_empty() && !self.is_over {
            self.read_on();
        }
        self.read.pop_front()
    }
}
