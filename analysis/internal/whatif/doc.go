// Package whatif computes how long a transfer would have taken with another window, another segment
// size, or without loss. It takes the facts of a transfer and gives durations: it knows no exchange's
// story and no rule.
package whatif
