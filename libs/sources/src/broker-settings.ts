import Type from "typebox";

/** Variables of a service that connects to brokers: what its `BrokerGuard` allows. */
export const BrokerSettings = {
  FNBUS_BROKER_ALLOW: Type.String({
    default: "",
    description:
      "networks, addresses and host names that brokers may have although neither public nor private, comma-separated",
  }),
  FNBUS_BROKER_ALLOW_LOOPBACK: Type.Boolean({
    default: false,
    description: "brokers may be at 127.0.0.0/8 and ::1: for a platform on one machine",
  }),
};
