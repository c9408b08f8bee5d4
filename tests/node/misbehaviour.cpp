#include "tests/node/misbehaviour.h"

namespace magpie::testing {
namespace {

std::string garbage(std::mt19937& random) {
  std::string bytes(random() % 3000, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

/// What one connection does before it goes. Whether the server closes first is not to be foreseen: try_send().
void misbehave(Client& client, std::mt19937& random) {
  const std::string get = encode({"GET", "large"});
  switch (random() % 10) {
    case 0:
      break;  // says nothing
    case 1:
      client.try_send(garbage(random));
      break;
    case 2:
      client.try_send("*3\r\n$3\r\nSET\r\n$100000\r\n" + std::string(random() % 90'000, 'x'));
      break;
    case 3:
      for (int i = 0; i < 100; ++i) client.try_send(get);
      client.shut_down_writing();
      break;
    case 4:
      while (client.try_send(get)) {  // never reads
      }
      break;
    case 5:
      client.try_send("WATCH a b\r\nMULTI\r\nSET a 1\r\nINCR b\r\n");
      break;
    case 6:
      client.try_send("MONITOR\r\nPING\r\n");
      break;
    case 7:
      client.try_send("WAIT 1 " + std::to_string(random() % 30) + "\r\nSET a 1\r\nQUIT\r\n");
      break;
    case 8:
      client.try_send("CLIENT REPLY OFF\r\nSET b 2\r\nCLIENT KILL TYPE normal MAXAGE 1000\r\n");
      break;
    default:
      client.try_send("MULTI\r\nINCR a\r\nINCR b\r\nEXEC\r\nCLIENT LIST\r\nRESET\r\nQUIT\r\n");
      break;
  }
}

}  // namespace

void come_and_go(const TestNode& node, unsigned seed, int connections) {
  std::mt19937 random(seed);
  std::vector<Client> open;
  for (int i = 0; i < connections; ++i) {
    open.emplace_back(node);
    misbehave(open.back(), random);
    if (open.size() > 20 || random() % 3 == 0) {
      Client& leaving = open[random() % open.size()];
      if (random() % 2 == 0) leaving.reset();
      std::swap(leaving, open.back());
      open.pop_back();
    }
  }
}

}  // namespace magpie::testing
