// What an application does with hiredis: hiredis_work PORT. Prints one line per check.
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;
static void check(int holds, const char *name) {
  printf("%s %s\n", holds ? "ok" : "failed", name);
  if (!holds) failures++;
}

int main(int argc, char **argv) {
  if (argc != 2) return fprintf(stderr, "usage: hiredis_work PORT\n"), 2;
  redisContext *context = redisConnect("127.0.0.1", atoi(argv[1]));
  if (context == NULL || context->err) return fprintf(stderr, "cannot connect\n"), 2;

  redisReply *reply = redisCommand(context, "SET %s %b EX 100", "hiredis:key", "a\0b", (size_t)3);
  check(reply != NULL && strcmp(reply->str, "OK") == 0, "sets a binary value");
  freeReplyObject(reply);
  reply = redisCommand(context, "GET %s", "hiredis:key");
  check(reply != NULL && reply->len == 3 && memcmp(reply->str, "a\0b", 3) == 0, "gets it back");
  freeReplyObject(reply);

  for (int i = 0; i < 10000; i++) redisAppendCommand(context, "INCR hiredis:counter");
  long long last = 0;
  for (int i = 0; i < 10000; i++) {
    if (redisGetReply(context, (void **)&reply) != REDIS_OK) break;
    last = reply->integer;
    freeReplyObject(reply);
  }
  check(last == 10000, "pipelines 10,000 commands");

  reply = redisCommand(context, "MGET hiredis:key nothing");
  check(reply != NULL && reply->elements == 2 && reply->element[1]->type == REDIS_REPLY_NIL, "reads an array with a nil");
  freeReplyObject(reply);
  reply = redisCommand(context, "INCR hiredis:key");
  check(reply != NULL && reply->type == REDIS_REPLY_ERROR, "gets an error as an error");
  freeReplyObject(reply);
  redisFree(context);
  return failures == 0 ? 0 : 1;
}
