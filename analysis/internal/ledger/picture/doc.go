// Package picture keeps what is shown of the time of an exchange in order: the pieces of every one,
// coarsely, and all of the one that is to be traced. It is told of tiles and of segments, and
// decides nothing.
package picture
