// Package failing has the rules about requests that came to nothing: given up, or answered with an
// error.
package failing
