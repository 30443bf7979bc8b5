/*
 * The receiver of the benchmark: one thread, epoll, keep-alive connections. See src/sink.ts for what it promises.
 *
 *   sink ORIGINS        listens at one port of 127.0.0.1 and, for more origins, of further addresses in 127.0.0.0/8;
 *                       says "ready PORT" when it does. Ends when its standard input ends.
 *
 * A command is a line "ID WORD ARGUMENTS", and so is its answer:
 *   reset               ok                     forgets all that came
 *   counts              REQUESTS DISTINCT DUPLICATES FIRST LAST BAD
 *   wait COUNT          reached                once so many distinct ones have come; another wait or a reset ends it: "over"
 *   keep FROM COUNT     ok                     notes when serials of that range first come
 *   moments FILE        ok                     writes them there, 8 bytes each, NaN for those that have not come
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ORIGINS = 4096, MAX_EVENTS = 256, FIRST_BUFFER = 16 * 1024, MAX_REQUEST = 16 * 1024 * 1024 };

struct peer {
  int fd;
  int is_listener;
  int hangs;
  size_t length;
  size_t size;
  char *buffer;
};

static int poller;
static struct { uint64_t requests, distinct, duplicates, bad; double first, last; } counts;
/* Hashes of the ids that came; 0 is an empty place. */
static struct { uint64_t *places; size_t size; } ids;
static struct { double *at; uint64_t from, count; } moments;
static struct { char id[32]; uint64_t count; int is_on; } waiting;

static const char OK[] = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
static const char FAILED[] = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
static const char BAD[] = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void *need(void *memory) {
  if (!memory) die("memory");
  return memory;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static uint64_t hash_of(const char *text, size_t length) {
  uint64_t hash = 0xcbf29ce484222325ull;
  for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3ull;
  hash = (hash ^ (hash >> 32)) * 0x9e3779b97f4a7c15ull;
  hash ^= hash >> 29;
  return hash ? hash : 1;
}

static int put(uint64_t hash) {
  for (size_t i = hash & (ids.size - 1);; i = (i + 1) & (ids.size - 1)) {
    if (ids.places[i] == hash) return 0;
    if (ids.places[i]) continue;
    ids.places[i] = hash;
    return 1;
  }
}

static void grow(void) {
  uint64_t *old = ids.places;
  size_t size = ids.size;
  ids.size = size ? size * 2 : 1 << 20;
  ids.places = need(calloc(ids.size, sizeof *ids.places));
  for (size_t i = 0; i < size; i++)
    if (old[i]) put(old[i]);
  free(old);
}

static void answer(const char *id, const char *text) {
  printf("%s %s\n", id, text);
  fflush(stdout);
}

/* Serials stand in a body as "t:" and 12 digits. */
static void note_serials(const char *body, size_t length, double at) {
  const char *end = body + length;
  for (;;) {
    const char *found = memmem(body, (size_t)(end - body), "t:", 2);
    if (!found || end - found < 14) return;
    uint64_t serial = 0;
    int digits = 0;
    for (; digits < 12 && found[2 + digits] >= '0' && found[2 + digits] <= '9'; digits++)
      serial = serial * 10 + (uint64_t)(found[2 + digits] - '0');
    body = found + 2;
    if (digits < 12 || serial < moments.from || serial - moments.from >= moments.count) continue;
    double *moment = &moments.at[serial - moments.from];
    if (isnan(*moment)) *moment = at;
  }
}

static void arrived(const char *id, size_t id_length, const char *body, size_t length, double at) {
  counts.requests++;
  if (moments.at) note_serials(body, length, at);
  if (!put(hash_of(id, id_length))) {
    counts.duplicates++;
    return;
  }
  if (counts.distinct++ == 0) counts.first = at;
  counts.last = at;
  if (counts.distinct * 5 > ids.size * 3) grow();
  if (waiting.is_on && counts.distinct >= waiting.count) {
    waiting.is_on = 0;
    answer(waiting.id, "reached");
  }
}

static int begins(const char *text, size_t length, const char *with) {
  size_t wanted = strlen(with);
  return length >= wanted && memcmp(text, with, wanted) == 0;
}

/* The value of a header line, or null. */
static const char *value_of(const char *line, size_t length, const char *name, size_t *value_length) {
  size_t wanted = strlen(name);
  if (length <= wanted || line[wanted] != ':' || strncasecmp(line, name, wanted) != 0) return NULL;
  const char *value = line + wanted + 1;
  const char *end = line + length;
  while (value < end && *value == ' ') value++;
  while (end > value && (end[-1] == '\r' || end[-1] == ' ')) end--;
  *value_length = (size_t)(end - value);
  return value;
}

static int say(struct peer *peer, const char *text, size_t length) {
  return send(peer->fd, text, length, MSG_NOSIGNAL) == (ssize_t)length;
}

/* How many bytes of the buffer the first request takes; 0: it is not complete; -1: the connection is over. */
static ssize_t take_request(struct peer *peer, const char *text, size_t length, double at) {
  const char *head_end = memmem(text, length, "\r\n\r\n", 4);
  if (!head_end) return 0;
  const char *id = NULL;
  size_t id_length = 0;
  size_t body_length = 0;
  int is_bad = !begins(text, length, "POST /");
  const char *line = memchr(text, '\n', length);
  while (line && line < head_end) {
    line++;
    const char *line_end = memchr(line, '\n', (size_t)(text + length - line));
    size_t line_length = (size_t)(line_end - line);
    size_t value_length;
    const char *value;
    if ((value = value_of(line, line_length, "webhook-id", &value_length))) {
      id = value;
      id_length = value_length;
    } else if (value_of(line, line_length, "transfer-encoding", &value_length)) {
      is_bad = 1;
    } else if ((value = value_of(line, line_length, "content-length", &value_length))) {
      for (size_t i = 0; i < value_length && body_length <= MAX_REQUEST; i++) body_length = body_length * 10 + (size_t)(value[i] - '0');
    }
    line = line_end;
  }
  if (body_length > MAX_REQUEST) is_bad = 1;
  const char *path = text + 5;
  int is_ok = !is_bad && begins(path, length - 5, "/ok");
  if (is_bad || (is_ok && !id)) {
    counts.bad++;
    say(peer, BAD, sizeof BAD - 1);
    return -1;
  }
  size_t head_length = (size_t)(head_end - text) + 4;
  if (length - head_length < body_length) return 0;
  if (begins(path, length - 5, "/hang")) {
    peer->hangs = 1;
    return (ssize_t)length;
  }
  if (is_ok) arrived(id, id_length, text + head_length, body_length, at);
  int is_said = is_ok ? say(peer, OK, sizeof OK - 1) : say(peer, FAILED, sizeof FAILED - 1);
  return is_said ? (ssize_t)(head_length + body_length) : -1;
}

static void end(struct peer *peer) {
  close(peer->fd);
  free(peer->buffer);
  free(peer);
}

static void receive(struct peer *peer) {
  if (peer->length == peer->size) {
    if (peer->size >= 2u * MAX_REQUEST) return end(peer);
    peer->size *= 2;
    peer->buffer = need(realloc(peer->buffer, peer->size));
  }
  ssize_t count = recv(peer->fd, peer->buffer + peer->length, peer->size - peer->length, 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) return end(peer);
  if (peer->hangs) return;
  double at = now();
  peer->length += (size_t)count;
  size_t taken = 0;
  while (taken < peer->length) {
    ssize_t length = take_request(peer, peer->buffer + taken, peer->length - taken, at);
    if (length < 0) return end(peer);
    if (length == 0) break;
    taken += (size_t)length;
  }
  peer->length -= taken;
  if (peer->length > 0 && taken > 0) memmove(peer->buffer, peer->buffer + taken, peer->length);
}

static void follow(int fd, struct peer *peer) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
}

static void accept_all(int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) perror("accept");
      return;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct peer *peer = need(calloc(1, sizeof *peer));
    peer->fd = fd;
    peer->size = FIRST_BUFFER;
    peer->buffer = need(malloc(peer->size));
    follow(fd, peer);
  }
}

static struct in_addr address_of(int origin) {
  return (struct in_addr){htonl(0x7f000001u + (uint32_t)(origin / 250) * 256u + (uint32_t)(origin % 250))};
}

/* The listener, or -1 when the port is taken at that address. */
static int listen_at(int origin, in_port_t *port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = address_of(origin), .sin_port = *port};
  socklen_t length = sizeof address;
  if (bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, 4096) != 0) {
    if (errno != EADDRINUSE) die("listen");
    close(fd);
    return -1;
  }
  if (getsockname(fd, (struct sockaddr *)&address, &length) != 0) die("getsockname");
  *port = address.sin_port;
  return fd;
}

static in_port_t listen_to(int origins) {
  static int fds[MAX_ORIGINS];
  for (int tries = 0; tries < 20; tries++) {
    in_port_t port = 0;
    int made = 0;
    while (made < origins && (fds[made] = listen_at(made, &port)) >= 0) made++;
    if (made == origins) {
      for (int i = 0; i < origins; i++) {
        struct peer *peer = need(calloc(1, sizeof *peer));
        peer->fd = fds[i];
        peer->is_listener = 1;
        follow(fds[i], peer);
      }
      return ntohs(port);
    }
    while (made-- > 0) close(fds[made]);
  }
  fprintf(stderr, "no port is free at all of %d addresses\n", origins);
  exit(1);
}

static void stop_waiting(void) {
  if (waiting.is_on) answer(waiting.id, "over");
  waiting.is_on = 0;
}

static void forget(void) {
  memset(&counts, 0, sizeof counts);
  memset(ids.places, 0, ids.size * sizeof *ids.places);
  free(moments.at);
  memset(&moments, 0, sizeof moments);
  stop_waiting();
}

static void keep(uint64_t from, uint64_t count) {
  free(moments.at);
  moments.from = from;
  moments.count = count;
  moments.at = need(malloc((count ? count : 1) * sizeof *moments.at));
  for (uint64_t i = 0; i < count; i++) moments.at[i] = NAN;
}

static int write_moments(const char *file) {
  FILE *out = fopen(file, "wb");
  if (!out) return 0;
  size_t written = fwrite(moments.at, sizeof *moments.at, moments.count, out);
  return fclose(out) == 0 && written == moments.count;
}

static void obey(char *line) {
  char id[32], word[16], text[256];
  unsigned long long first = 0, second = 0;
  int used = 0;
  if (sscanf(line, "%31s %15s %n", id, word, &used) < 2) return;
  char *rest = line + used;
  if (strcmp(word, "reset") == 0) {
    forget();
    answer(id, "ok");
  } else if (strcmp(word, "counts") == 0) {
    snprintf(text, sizeof text, "%llu %llu %llu %.3f %.3f %llu", (unsigned long long)counts.requests,
             (unsigned long long)counts.distinct, (unsigned long long)counts.duplicates, counts.first, counts.last,
             (unsigned long long)counts.bad);
    answer(id, text);
  } else if (strcmp(word, "wait") == 0 && sscanf(rest, "%llu", &first) == 1) {
    stop_waiting();
    if (counts.distinct >= first) {
      answer(id, "reached");
      return;
    }
    strcpy(waiting.id, id);
    waiting.count = first;
    waiting.is_on = 1;
  } else if (strcmp(word, "keep") == 0 && sscanf(rest, "%llu %llu", &first, &second) == 2 && second <= 100000000) {
    keep(first, second);
    answer(id, "ok");
  } else if (strcmp(word, "moments") == 0) {
    answer(id, write_moments(rest) ? "ok" : "failed");
  } else {
    answer(id, "unknown");
  }
}

/* Of standard input; ends the process when that ends. */
static void read_commands(void) {
  static char text[8192];
  static size_t length;
  ssize_t count = read(STDIN_FILENO, text + length, sizeof text - 1 - length);
  if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) exit(0);
  if (count < 0) return;
  length += (size_t)count;
  char *start = text;
  char *line_end;
  while ((line_end = memchr(start, '\n', length - (size_t)(start - text)))) {
    *line_end = 0;
    obey(start);
    start = line_end + 1;
  }
  length -= (size_t)(start - text);
  memmove(text, start, length);
  if (length == sizeof text - 1) length = 0;
}

int main(int argc, char **argv) {
  int origins = argc > 1 ? atoi(argv[1]) : 1;
  if (origins < 1 || origins > MAX_ORIGINS) {
    fprintf(stderr, "usage: sink ORIGINS (1 to %d)\n", MAX_ORIGINS);
    return 2;
  }
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  grow();
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (poller < 0) die("epoll_create1");
  in_port_t port = listen_to(origins);
  follow(STDIN_FILENO, NULL);
  printf("ready %u\n", port);
  fflush(stdout);
  struct epoll_event events[MAX_EVENTS];
  for (;;) {
    int count = epoll_wait(poller, events, MAX_EVENTS, -1);
    if (count < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < count; i++) {
      struct peer *peer = events[i].data.ptr;
      if (!peer) read_commands();
      else if (peer->is_listener) accept_all(peer->fd);
      else receive(peer);
    }
  }
}
