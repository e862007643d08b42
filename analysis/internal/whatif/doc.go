// Package whatif computes how long a transfer would have taken with another window, another segment
// size, or without loss. It takes what a transfer showed and gives durations: it knows no exchange
// and no rule.
package whatif
