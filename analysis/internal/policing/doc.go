// Package policing tells whether a token bucket explains which segments of a path were lost and
// which passed. It takes arrivals and gives a bucket: it knows no connection, no exchange, no rule.
//
// A bucket with a rate and a depth says of every segment whether it passes: it does if as many
// tokens are left as it has octets. So a bucket is refuted from both sides, by a loss that it had
// room for and by a segment that passed though it was empty; and which of all rates and depths is
// refuted least is what Fit looks for. Losses at random leave room for no bucket: wherever they
// meet an empty one, as many others pass it.
package policing
