// Package names reads messages of DNS (RFC 1035) and finds out which look-up a connection waited
// for: it follows what each host asks, again and again if it has to, until there is an address, and
// is asked at each first SYN what led there. It knows no segment of TCP but those that carry DNS.
//
// All that it keeps is bounded by number and by age.
package names
