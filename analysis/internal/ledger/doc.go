// Package ledger draws up what every nanosecond of a connection and of its exchanges was spent on,
// and what the transfers showed of their senders. It reads a connection's records once, in order,
// and gives facts: it knows no fault, no cost and no remedy, and not who asks.
package ledger
