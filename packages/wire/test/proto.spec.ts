import assert from 'node:assert/strict'
import { message, nested, toProto, uint32, UnencodableError } from '@plaxton/wire'
import { ack, envelope } from './schemas.ts'

describe('the .proto file of schemas', () => {
  it('says all that protobuf can say, and the bounds in comments', () => {
    assert.equal(
      toProto([envelope], 'plaxton.test'),
      `syntax = "proto3";

package plaxton.test;

message Envelope {
  uint32 version = 1;
  Frame body = 2;
}

message Frame {
  oneof type {
    Ack ack = 1;
    Route route = 2;
    LeafSetProbe leaf_set_probe = 3;
    Nothing nothing = 20;
  }
}

message Ack {
  uint32 nonce = 1;
  bool accepted = 2;
}

message Route {
  enum Outcome {
    OUTCOME_UNSPECIFIED = 0;
    OUTCOME_DELIVERED = 1;
    OUTCOME_NO_ROUTE = 2;
    OUTCOME_TIMED_OUT = 3;
  }
  bytes key = 1; // a guid
  bytes source = 2; // a guid
  uint32 hops = 3;
  uint64 deadline = 4; // at most 2^53 - 1
  Outcome outcome = 5;
  bytes payload = 16; // at most 1024 bytes
}

message LeafSetProbe {
  repeated NodeRef leafSet = 1; // at most 8
  repeated NodeRef failed = 2; // at most 8
  bool reply = 3;
  optional string note = 4; // at most 100 bytes
}

message NodeRef {
  bytes id = 1; // a guid
  string address = 2; // at most 1024 bytes
  uint64 epoch = 3; // at most 2^53 - 1
}

message Nothing {}
`,
    )
  })

  it('has each message once, wherever it is used', () => {
    const twice = message('Twice', { a: nested(1, ack), b: nested(2, ack) })
    assert.equal(toProto([twice, ack], 'p').match(/^message Ack /gm)?.length, 1)
  })

  it('has no two messages of one name', () => {
    const otherAck = message('Ack', { nonce: uint32(1) })
    assert.throws(() => toProto([ack, otherAck], 'p'), UnencodableError)
  })
})
