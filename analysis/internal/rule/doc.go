// Package rule is the contract between rules and the judge: what a rule is, what it sees of a
// connection, what it claims, and what a comparison of connections may ask. It keeps nothing of any
// run.
package rule
