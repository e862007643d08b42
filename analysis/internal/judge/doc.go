// Package judge makes findings of claims. It reads the events of all connections in the order of
// time, settles which claims stand, groups and grades them, and draws up the report. It looks at no
// segment, and knows rules by what they say of themselves, never by name.
package judge
