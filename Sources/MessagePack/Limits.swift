/// The largest nesting depth that msgpack-c accepts.
package let maximumMessagePackDepth = 32
