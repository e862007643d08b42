// Package smallwrite has the rules about small segments that wait for each other: Nagle's
// algorithm, delayed acknowledgments, and corks.
package smallwrite
