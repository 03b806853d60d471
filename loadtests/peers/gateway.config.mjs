// Settings of Hive Gateway: the caller's Authorization goes along, nothing else differs from its defaults.
export const gatewayConfig = {
  propagateHeaders: {
    fromClientToSubgraphs({ request }) {
      const authorization = request.headers.get("authorization");
      return authorization ? { authorization } : {};
    },
  },
};
